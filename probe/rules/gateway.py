"""Errors: the gateway's own trouble, and what it says of its upstream's account."""

from typing import Final

from probe.rules.rule import AUTH, DEGRADATION, QUOTA, Place, Rule

_FOREIGN_KEY: Final = (  # how the upstream APIs word a refused key: a gateway words its own refusals differently
    r"incorrect api key provided|invalid x-api-key|api key not valid|api[ _]key[ _](expired|invalid)\b.*google"
    r"|security token included in the request|account_deactivated|openai account has been deactivated"
    r"|organization (has been|is) (disabled|restricted)|consumer .{0,60}suspended|reported as leaked"
    r"|(country|region|territory|location).{0,40}not supported"
)

GATEWAY_ITSELF: Final = (
    Rule(
        *("gateway's own database or code", DEGRADATION, "gateway_internal", Place.TEXT),
        r"get_user_quota_failed|(query|update)_data_error|too many connections|no[_ ](connected[_ ]db|db_connection)"
        r"|no such table|database (is locked|error|connection)|sqlstate|deadlock found|数据库|_api_panic"
        r"|panic detected|redis.{0,30}(refused|timeout|failed|error)|(价格|倍率).{0,8}未配置|model_price_error"
        r"|price not (set|configured)",
        hits=("code: get_user_quota_failed\nError 1040: Too many connections", "数据库一致性已被破坏，请联系管理员"),
        misses=("code: insufficient_user_quota\nuser quota is not enough", "too many requests"),
        runner_up=QUOTA,
    ),
    Rule(
        *("upstream refused the gateway's key, relayed", DEGRADATION, "upstream_auth", Place.WORDS),
        rf"({_FOREIGN_KEY}).*\(request id:",
        hits=(
            "Incorrect API key provided: sk-proj-****9zQn. You can find your key at the site. (request id: 2026AbC)",
            "Incorrect API key provided: <masked_key:3f9a>. (request id: 2026AbC)",
            "Country, region, or territory not supported (request id: 20240725)",
        ),
        misses=(
            "Incorrect API key provided: sk-proj-****9zQn. You can find your API key at the site.",
            "无效的令牌 (request id: 2026AbC)",
        ),
        runner_up=AUTH,
    ),
    Rule(
        *("upstream refused the gateway's key, named", DEGRADATION, "upstream_auth", Place.SHEET),
        r"(?s:^provider_name: \w.*(unauthori[sz]ed|unauthenticated|authentication"
        r"|(invalid|incorrect).{0,15}api.?key))|^code: channel:(invalid_key|no_available_key)"
        r"|litellm\.(Authentication|PermissionDenied)Error|bad response status code 40[13]\b"
        r"|(?s:\A40[13] .*^(code|type): (upstream_error|bad_response_status_code)$)",
        hits=(
            "401 json\ncode: 401\nprovider_name: P\nProvider returned error\ninvalid x-api-key: authentication failed",
            "401 json\ntype: upstream_error\ncode: bad_response_status_code\nbad response status code 401",
        ),
        misses=(
            "401 json\ncode: 401\nNo auth credentials found",
            "400 json\nprovider_name: OpenAI\ninput must contain json",
        ),
        runner_up=AUTH,
    ),
    Rule(
        *("upstream account of the gateway is out of money", DEGRADATION, "upstream_quota", Place.SHEET),
        r"(exceeded your current quota|credit balance is too low|billing hard limit|your account is not active"
        r"|(plan|billing) (and|&) billing).*\(request id:|bad response status code 402\b"
        r"|(?s:^(code|type): insufficient_quota$.*饱和)"
        r"|(?s:^(type|code): upstream_error$.*(quota|balance|credits?)\b)|(?s:\A402 .*^provider_name: \w)",
        hits=(
            "429 json\ntype: insufficient_quota\ncode: insufficient_quota\n当前分组上游负载已饱和，请稍后再试",
            "429 json\ncode: insufficient_quota\nYou exceeded your current quota, check your plan (request id: 2026)",
        ),
        misses=(
            "429 json\ncode: insufficient_quota\nYou exceeded your current quota, please check your plan",
            "403 json\ncode: insufficient_user_quota\nuser quota is not enough (request id: 2026AbC)",
        ),
        runner_up=QUOTA,
    ),
    Rule(
        *("upstream limits the gateway", DEGRADATION, "upstream_rate_limited", Place.SHEET),
        r"rate[- ]limited upstream|^limit_source: upstream|(?s:\A429 .*^provider_name: \w)"
        r"|bad response status code 429\b|rate limit (reached for|exceeded for (model|org)).*\(request id:"
        r"|(?s:\A429 .*^(code|type): bad_response_status_code$)",
        hits=(
            "429 json\ncode: 429\nprovider_name: Chutes\nProvider returned error",
            "429 json\nRate limit reached for gpt-4 in organization org-1 on tokens per min. (request id: 2024)",
        ),
        misses=(
            "429 json\ncode: rate_limit_exceeded\nRate limit reached for model llama in organization org_1",
            "429 json\ncode: 429\nRate limit exceeded: free-models-per-day",
        ),
        runner_up=QUOTA,
    ),
    Rule(
        *("named provider of the gateway fails", DEGRADATION, "upstream_5xx", Place.SHEET),
        r"(?s:\A5\d\d .*^provider_name: \w)",
        hits=("503 json\ncode: 503\nprovider_name: Morph\nNo available workers",),
        misses=("503 json\ncode: 503\nNo available workers", "400 json\nprovider_name: OpenAI\nbad input"),
    ),
)

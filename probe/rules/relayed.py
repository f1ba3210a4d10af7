"""5. Whose account? A gateway's own trouble, and what it passes on about the account that it has upstream.

These rows come before the words of quota and keys, because the words are the same: only the envelope tells whose they
are. None of them is certain but the failing of a named provider.
"""

from typing import Final

from probe.rules.rule import AUTH, DEGRADATION, MISMATCH, QUOTA, Place, Rule

# A gateway closes a text that it passes on with an ID of its own (blank where redaction took it out).
_PASSED_ON: Final = r".*\((request[ _]?id|trace[ _]?id|tid|req[ _]?id): ?[\w·]"
# What only a provider says: a gateway words its own refusals otherwise.
_UPSTREAM_REFUSAL: Final = (
    r"(incorrect api key provided|invalid x-api-key|api key not valid|reported as leaked"
    r"|security token included in the request|account has been deactivated|consumer .{0,60}suspended"
    r"|organization (has been|is) (disabled|restricted)|(country|region|territory|location).{0,40}not supported)"
)

RELAYED: Final = (
    Rule(
        *("gateway's code for no channel", DEGRADATION, "no_channel", Place.CODE),
        r"^code: (get_channel_failed|channel:no_available_key)$",
        hits=("code: get_channel_failed", "code: channel:no_available_key"),
        misses=("code: get_user_quota_failed", "code: channel:invalid_key"),
        runner_up=MISMATCH,
    ),
    Rule(
        *("gateway's own database or code", DEGRADATION, "gateway_internal", Place.TEXT),
        (
            r"get_user_quota_failed|(query|update)_data_error",
            r"too many connections|no[_ ](connected[_ ]db|db_connection)|no such table",
            r"database (is locked|error|connection)|sqlstate|deadlock found",
            r"redis.{0,30}(refused|timeout|failed|error)",
            r"数据库",
            r"_api_panic|panic detected",
            r"(价格|倍率).{0,8}未配置|(model )?price (is )?not (set|configured)|model_price_error",
        ),
        hits=(
            "code: get_user_quota_failed",
            "Error 1040: Too many connections",
            "pq: database error, SQLSTATE 53300",
            "dial redis: connection refused",
            "数据库一致性已被破坏，请联系管理员",
            "Panic detected, error: runtime error: index out of range",
            "模型 m 倍率或价格未配置",
        ),
        misses=(
            "code: insufficient_user_quota\nuser quota is not enough",
            "too many requests",
            "connections per account: too many",
        ),
        runner_up=QUOTA,
    ),
    Rule(
        *("gateway failed at checking the key", DEGRADATION, "gateway_internal", Place.SHEET),
        r"(failed|unable|error|could not)\b.{0,8}(to )?(validat|verify|look|load|fetch|query)\w*.{0,12}"
        r"(api key|token|user|account|quota)",
        hits=("500 json\ncode: INTERNAL_ERROR\nFailed to validate API key",),
        misses=("401 json\nFailed to validate API key", "500 json\nFailed to fetch the response"),
        runner_up=AUTH,
        after=r"\A5\d\d ",
    ),
    Rule(
        *("proxy has no key for its upstream", DEGRADATION, "upstream_auth", Place.WORDS),
        r"(?-i:\b[A-Z][A-Z0-9_]*_(KEY|TOKEN)\b).{0,30}(not (set|configured|found|provided)|missing|must be set)",
        hits=("ACME_API_KEY is not set. Add it to your .env file.",),
        misses=("api_key is not set", "Missing API key"),
        runner_up=AUTH,
    ),
    Rule(
        *("upstream refused the gateway's key, relayed", DEGRADATION, "upstream_auth", Place.WORDS),
        _UPSTREAM_REFUSAL + _PASSED_ON,
        hits=(
            "Incorrect API key provided: sk-proj-****9zQn. You can find your key at the site. (request id: 2026AbC)",
            "Incorrect API key provided: <masked_key:3f9a>. (tid: 2026AbC)",
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
        (
            r"(?s:^provider_name: \w.*(unauthori[sz]ed|unauthenticated|authentication"
            r"|(invalid|incorrect).{0,15}api.?key))",
            r"^code: channel:invalid_key$",
            r"litellm\.(Authentication|PermissionDenied)Error",
            r"bad response status code 40[13]\b|last status:? 40[13]\b",
            r"(?s:\A40[13] .*^(code|type): (upstream_error|bad_response_status_code)$)",
        ),
        hits=(
            "401 json\ncode: 401\nprovider_name: P\nProvider returned error\ninvalid x-api-key: authentication failed",
            "500 json\ncode: channel:invalid_key",
            "401 json\nlitellm.AuthenticationError: AcmeException - expired token",
            "403 json\nAll 3 attempts failed. Last status: 403 Forbidden.",
            "401 json\ntype: upstream_error",
        ),
        misses=(
            "401 json\ncode: 401\nNo auth credentials found",
            "400 json\nprovider_name: OpenAI\ninput must contain json",
            "502 json\ntype: upstream_error",
        ),
        runner_up=AUTH,
    ),
    Rule(
        *("upstream account of the gateway is out of money", DEGRADATION, "upstream_quota", Place.SHEET),
        (
            r"(exceeded your current quota|credit balance is too low|billing hard limit|your account is not active"
            r"|(plan|billing) (and|&) billing)" + _PASSED_ON,
            r"bad response status code 402\b",
            r"(?s:^(code|type): insufficient_quota$.*饱和)",
            r"(?s:^(type|code): (upstream_error|ai_apicallerror)$.*(quota|balance|credits?|recharge)\b)",
            r"(?s:^provider_name: \w.*(insufficient (balance|credits?|funds)|billing details|exceeded_current_quota))",
            r"(?s:\A402 .*^provider_name: \w)",
        ),
        hits=(
            "429 json\ncode: insufficient_quota\nYou exceeded your current quota, check your plan (request id: 2026)",
            "500 json\nbad response status code 402",
            "429 json\ntype: insufficient_quota\ncode: insufficient_quota\n当前分组上游负载已饱和，请稍后再试",
            "429 json\ntype: AI_APICallError\nInsufficient balance. Please recharge.",
            "429 json\nprovider_name: P\naccount is suspended due to insufficient balance",
            "402 json\nprovider_name: P\nProvider returned error",
        ),
        misses=(
            "429 json\ncode: insufficient_quota\nYou exceeded your current quota, please check your plan",
            "403 json\ncode: insufficient_user_quota\nuser quota is not enough (request id: 2026AbC)",
            "400 json\nprovider_name: P\nthe image is too large",
        ),
        runner_up=QUOTA,
    ),
    Rule(
        *("upstream limits the gateway", DEGRADATION, "upstream_rate_limited", Place.SHEET),
        (
            r"rate[- ]limited (upstream|by (the |our )?(provider|upstream))|upstream.{0,20}\brate[- ]limit",
            r"(官方|上游|供应商).{0,6}(限速|限流|频率)",
            r"^limit_source: upstream",
            r"rate limit (reached for|exceeded for (model|org))" + _PASSED_ON,
            r"bad response status code 429\b|last status:? 429\b",
            r"(?s:\A429 .*^provider_name: \w)",
            r"(?s:\A429 .*^(code|type): (bad_response_status_code|upstream_error)$)",
        ),
        hits=(
            "503 json\nRate limited by provider – try again later.",
            "503 json\n该模型遇到官方限速，请稍后重试",
            "429 json\nlimit_source: upstream_pool",
            "429 json\nRate limit reached for gpt-4 in organization org-1 on tokens per min. (request id: 2024)",
            "500 json\nbad response status code 429",
            "429 json\ncode: 429\nprovider_name: Chutes\nProvider returned error",
            "429 json\ncode: bad_response_status_code",
        ),
        misses=(
            "429 json\ncode: rate_limit_exceeded\nRate limit reached for model llama in organization org_1",
            "429 json\ncode: 429\nRate limit exceeded: free-models-per-day",
        ),
        runner_up=QUOTA,
    ),
    Rule(
        *("own proxy names an upstream's limit", QUOTA, "rate_limited", Place.WORDS),
        r"litellm\.RateLimitError",
        hits=("litellm.RateLimitError: AcmeException - Requests have exceeded the limit",),
        misses=("RateLimitError: slow down", "litellm.Timeout: 1.0"),
        runner_up=DEGRADATION,
    ),
    Rule(
        *("named provider of the gateway fails", DEGRADATION, "upstream_5xx", Place.SHEET),
        r"^provider_name: \w",
        hits=("503 json\ncode: 503\nprovider_name: Morph\nNo available workers",),
        misses=("503 json\ncode: 503\nNo available workers", "400 json\nprovider_name: OpenAI\nbad input"),
        after=r"\A5\d\d ",
    ),
)

"""Errors: our request or clock."""

from typing import Final

from probe.rules.rule import AUTH, MISMATCH, OURS, Place, Rule

CLOCK_AND_REQUEST: Final = (
    Rule(
        *("our clock", OURS, "clock_skew", Place.WORDS),
        r"signature expired|signature not yet current|request ?time.{0,15}too skewed|clock skew"
        r"|timestamp.{0,40}(window|skew)",
        hits=("Signature expired: 20260624T101400Z is now earlier than 20260624T102100Z",),
        misses=("The security token included in the request is expired",),
        runner_up=AUTH,
    ),
    Rule(
        *("wrong method", MISMATCH, "method_not_allowed", Place.TEXT),
        r"method[_ ]not[_ ](allowed|supported)|different HTTP method|not allowed to (get|post|put) on",
        hits=("Not allowed to GET on /v1/chat/completions. (HINT: Perhaps you meant a different HTTP method?)",),
        misses=("You are not allowed to sample from this model",),
    ),
    Rule(
        *("parameter refused", MISMATCH, "unsupported_parameter", Place.TEXT),
        r"(unsupported|unknown|unrecogni[sz]ed|unexpected|extra|additional|disallowed)[ _](\w+[ _]){0,2}(parameter"
        r"|argument|field|propert|input|option|variant|value|keyword|key\b)|extra_forbidden|unsupportedparams"
        r"|(parameter|argument|field|propert\w+|option)s?\b.{0,60}(not (supported|permitted|allowed|recogni[sz]ed)"
        r"|unsupported|deprecated)|not supported (with|by|for|on) this model"
        r"|does not support.{0,40}(parameter|streaming|tools|messages|system|`|')|不支持.{0,10}参数"
        r"|参数.{0,12}(不支持|不被支持)",
        hits=(
            "Extra inputs are not permitted",
            "Unsupported parameter: 'max_tokens' is not supported with this model.",
            "response_format: unknown variant `json_schema`, expected `text`",
        ),
        misses=("The model `m` does not exist.", "Missing required parameter: 'messages'."),
    ),
    Rule(
        *("too many tokens for the model", MISMATCH, "context_length", Place.TEXT),
        r"context[ _-]?(length|window|size)|contextwindow|maximum context|(prompt|input|messages) (is |are )?too long"
        r"|reduce the length|(inputs?`?|prompt) tokens.{0,60}(must be|exceed|<=|>)"
        r"|exceed\w*.{0,40}(token limit|maximum.{0,20}tokens|max_tokens)|max_new_tokens.{0,20}must be"
        r"|string_above_max_length|tokens_limit_reached|超长|上下文.{0,6}(长|超)|(输入|提示词).{0,6}过长",
        hits=(
            "This model's maximum context length is 4096 tokens. However, you requested 5000",
            "`inputs` tokens + `max_new_tokens` must be <= 4096",
        ),
        misses=("Rate limit reached on tokens per minute", "max_tokens: Field required"),
    ),
    Rule(
        *("body too large", MISMATCH, "payload_too_large", Place.TEXT),
        r"(payload|entity|body|request)[ _](is )?too[ _]large|(body|payload|request) size.{0,30}(exceed|limit)",
        hits=("Request body too large for the server",),
        misses=("prompt is too long: 210000 tokens > 200000 maximum",),
    ),
)

PERMISSION_AND_REQUEST: Final = (
    Rule(
        *("field missing or refused", MISMATCH, "request_rejected", Place.WORDS),
        r"missing (required )?(parameter|field|argument|propert|`|')"
        r"|(field|parameter|argument|propert\w+|messages|model|model name)\b.{0,30}\b(is )?required\b"
        r"|required (field|parameter|propert)|不能为空|未指定|缺少.{0,8}(参数|字段)"
        r"|参数.{0,8}(错误|有误|无效|不合法|非法)|on-demand throughput",
        hits=(
            "Missing required parameter: 'messages'.",
            "field messages is required",
            "未指定模型名称，模型名称不能为空",
        ),
        misses=("An API key is required", "Payment Required"),
        runner_up=OURS,
    ),
    Rule(
        *("not permitted", AUTH, "permission_denied", Place.TEXT),
        r"permission[_ -]?denied|access[_ ]?denied|\bforbidden\b|not (authori[sz]ed|permitted|allowed|entitled)\b"
        r"|not have (access|permission)|no (access|permission)|is not open\b|must be verified|\bauth_error"
        r"|authentication_error|authorization required|无权|禁止访问|拒绝访问",
        hits=("type: permission_denied_error\nThe API you are accessing is not open", "type: auth_error\nforbidden"),
        misses=("Insufficient Balance", "Internal Server Error"),
    ),
)

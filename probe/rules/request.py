"""8. Our request: its clock, method, size and fields. Before the words of keys: an "unexpected key" is no secret."""

from typing import Final

from probe.rules.rule import AUTH, DEGRADATION, MISMATCH, OURS, Place, Rule

# The fields of a chat request that a refusal names.
_FIELDS: Final = (
    r"(max_(completion_|output_)?tokens|temperature|top_[pk]|n|stream(_options)?|stop|seed|tools?|tool_choice"
    r"|response_format|frequency_penalty|presence_penalty|logprobs|logit_bias|reasoning_effort|user)"
)

REQUEST: Final = (
    Rule(
        *("our clock", OURS, "clock_skew", Place.WORDS),
        (
            r"signature expired|signature not yet current",
            r"request ?time ?too ?skewed|clock skew",
            r"timestamp.{0,40}(window|skew)",
        ),
        hits=(
            "Signature expired: 20260624T101400Z is now earlier than 20260624T102100Z",
            "The difference between the request time and the current time is too large: RequestTimeTooSkewed",
            "timestamp is outside of the allowed window",
        ),
        misses=("The security token included in the request is expired", "context window of 4096"),
        runner_up=AUTH,
    ),
    Rule(
        *("wrong method", MISMATCH, "method_not_allowed", Place.TEXT),
        (
            r"method[_ ]([\"'`]?\w+[\"'`]? )?(is )?not[_ ](allowed|supported)",
            r"different HTTP method|not allowed to (get|post|put) on",
            r"请求方法.{0,6}(不支持|不允许)|不支持.{0,6}请求方法",
        ),
        hits=(
            'Method "POST" not allowed.',
            "Not allowed to GET on /v1/chat/completions. (HINT: Perhaps you meant a different HTTP method?)",
            "不支持的请求方法",
        ),
        misses=("You are not allowed to sample from this model", "This authentication method is not sufficient"),
    ),
    Rule(
        *("body too large", MISMATCH, "payload_too_large", Place.TEXT),
        (
            r"(payload|entity|body|request)[ _](is )?too[ _]large",
            r"(body|payload|request) size.{0,30}(exceed|limit)|exceed\w*.{0,30}(body|payload|request) size",
            r"请求(体|内容).{0,4}过大",
        ),
        hits=(
            "Request body too large for m model. Max size: 8000 tokens.",
            "The request size exceeds the limit of 4 MB",
            "请求体过大",
        ),
        misses=("prompt is too long: 210000 tokens > 200000 maximum", "request too many times"),
    ),
    Rule(
        *("too many tokens for the model", MISMATCH, "context_length", Place.TEXT),
        (
            r"context[ _-]?(length|window|size)|contextwindow|maximum context|上下文.{0,6}(长|超)",
            r"(prompt|inputs?|messages?|tokens|string|text)([ _]\w+){0,2}[ _](is |are )?too[ _]long|reduce the length",
            r"(inputs?`?|prompt) tokens.{0,60}(must be|exceed|<=|>)|(prompt|input|messages?).{0,20}too many tokens",
            r"exceed\w*.{0,40}(token limit|maximum.{0,20}tokens|max_tokens)|tokens_limit_reached",
            r"input.{0,20}tokens?.{0,20}exceed|max_new_tokens.{0,20}must be|string_above_max_length",
            r"超长|(输入|提示词|文本).{0,6}(过长|太长)",
        ),
        hits=(
            "This model's maximum context length is 4096 tokens. However, you requested 5000",
            "prompt is too long: 210000 tokens > 200000 maximum",
            "`inputs` tokens + `max_new_tokens` must be <= 4096",
            "The request exceeds the maximum number of tokens",
            "The input token count exceeds the limit",
            "输入内容超长",
        ),
        misses=("Rate limit reached on tokens per minute", "max_tokens: Field required", "the queue is too long"),
    ),
    Rule(
        *("parameter refused", MISMATCH, "unsupported_parameter", Place.TEXT),
        (
            r"(unsupported|unknown|unrecogni[sz]ed|unexpected|extra|additional|disallowed)[ _](\w+[ _]){0,2}"
            r"(parameter|argument|field|propert|input|option|variant|value|keyword)",
            r"(unsupported|unknown|unrecogni[sz]ed|unexpected|extra)[ _]key\b",
            r"extra_forbidden|unsupportedparams",
            r"(parameter|argument|field|propert\w+|option)s?\b.{0,60}"
            r"(not (supported|permitted|allowed|recogni[sz]ed)|unsupported|deprecated)",
            r"not supported (with|by|for|on) this model|does not support.{0,40}"
            r"(parameter|streaming|tools|messages|system|chat|`|')",
            rf"\b{_FIELDS}\b['\"`]?[^.]{{0,30}}\b(must be|should be|range|out of|too (small|large|low|high)|at least"
            r"|between|limit|below|above|greater|less)\b",
            r"不支持.{0,10}参数|参数.{0,12}(不支持|不被支持|超出范围)",
        ),
        hits=(
            "Unsupported parameter: 'max_tokens' is not supported with this model.",
            "response_format: unknown variant `json_schema`, expected `text`",
            "Unrecognized key: stream_options",
            "type: extra_forbidden",
            "The `functions` parameter is deprecated.",
            "tools is not supported with this model",
            "max_tokens must be at least 16",
            "parameter check failed, max_completion_tokens range is [2, 4096]",
            "不支持的参数：seed",
        ),
        misses=(
            "The model `m` does not exist.",
            "Missing required parameter: 'messages'.",
            "Unknown api key",
            "`inputs` tokens + `max_new_tokens` must be <= 4096",
        ),
    ),
)

# After the words of keys and models: "missing API key" and "unknown model" say more than "missing" and "invalid".
REFUSED: Final = (
    Rule(
        *("field missing or refused", MISMATCH, "request_rejected", Place.WORDS),
        (
            r"missing (one or \w+ )?(required )?(parameter|field|argument|propert|`|')",
            r"(field|parameter|argument|propert\w+|messages|model|model name|header)\b.{0,30}\b(is )?required\b",
            r"required (field|parameter|propert)|on-demand throughput",
            r"(parameter|field|argument)s?\b.{0,12}\b(is|are) (illegal|invalid|malformed|wrong)",
            r"request (format|body)( is)? (not |un)recogni[sz]ed",
            r"(参数|格式).{0,8}(错误|有误|无效|不合法|非法)|无效的?请求",
            r"缺少.{0,8}(参数|字段)|不能为空|未指定",
        ),
        hits=(
            "Missing required parameter: 'messages'.",
            "field messages is required",
            "Invocation with on-demand throughput isn't supported",
            "The messages parameter is illegal.",
            "request format not recognised",
            "请求格式有误",
            "未指定模型名称，模型名称不能为空",
        ),
        misses=("An API key is required", "Payment Required", "Authentication required"),
        runner_up=OURS,
    ),
)

# A gateway's code for the same, under 500 as well.
NOT_CONVERTED: Final = (
    Rule(
        *("gateway could not convert the request", MISMATCH, "request_rejected", Place.CODE),
        r"^code: (convert_request_failed|invalid_request|missing_required_parameter)$",
        hits=("code: invalid_request", "type: comet_api_error\ncode: convert_request_failed"),
        misses=("code: invalid_request_error", "type: invalid_request"),
        runner_up=DEGRADATION,
    ),
)

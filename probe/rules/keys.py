"""4c. The key: missing, expired, refused."""

from typing import Final

from probe.rules.rule import AUTH, MISMATCH, Place, Rule

_KEY: Final = r"(api[-_ ]?key|subscription[-_ ]key|access[-_ ]key|x-api-key|\bkey\b|\btoken\b|credential|jwt|bearer)s?"

KEYS: Final = (
    Rule(
        *("key invalid, or expired", AUTH, "invalid_key", Place.WORDS),
        (
            r"\b(invalid|incorrect|wrong)\b.{0,12}\bor\b.{0,12}\b(expired|revoked)\b",
            _KEY + r"\b.{0,40}(missing or (invalid|incorrect)|(invalid|incorrect) or missing)",
        ),
        hits=(
            "The API Key appears to be invalid or may have expired",
            "The API key in the request is missing or invalid.",
        ),
        misses=("No API key found in request", "The token has expired", "Parameter missing or invalid"),
    ),
    Rule(
        *("key expired", AUTH, "expired_key", Place.TEXT),
        (
            r"(key|token|credential|jwt|secret)s?\b.{0,40}expired|(key|token)_expired",
            r"expired.{0,15}(key|token|credential|jwt)",
            r"(令牌|密钥|token|key|凭证).{0,6}过期|已过期",
        ),
        hits=(
            "The security token included in the request is expired",
            "code: ExpiredTokenException",
            "该令牌已过期",
        ),
        misses=("Deadline expired before operation could complete.", "Invalid API key"),
    ),
    Rule(
        *("key missing, or no such path", AUTH, "missing_key", Place.WORDS),
        r"^missing authentication token$",  # API Gateway of AWS says so of an unknown path as well
        hits=("Missing Authentication Token",),
        misses=("Missing authentication token in the header x-api-key",),
        runner_up=MISMATCH,
    ),
    Rule(
        *("key missing", AUTH, "missing_key", Place.TEXT),
        (
            r"\b(no|missing|without|provide|supply|include|empty|requires?|need)\b(?: \w+){0,4}?[ '\"`]+"
            r"(api[-_ ]?keys?|subscription key|auth\w*[- ](header|credentials?|tokens?|key)|credentials?|bearer"
            r"|access token|authorization|x-api-key)\b",
            r"(api[-_ ]?key|authorization( header)?|credentials?|x-api-key( header)?|bearer( token)?|jwt"
            r"|authentication (information|header|token))\b.{0,12}\b"
            r"(missing|required|not (found|provided|supplied|present|set)|empty|absent)",
            r"missing[ _](api_?key|auth\w*|token)|api_key_(missing|required)",
            r"unregistered callers|please carry the api secret",
            r"未(提供|携带|传入?).{0,8}(令牌|密钥|api|token|key)|未收到.{0,12}(auth|令牌|token)",
            r"缺少.{0,6}(令牌|密钥|key|认证|鉴权|authorization)",
        ),
        hits=(
            "No API key found in request",
            "Access denied due to missing subscription key.",
            "You didn't provide an API key.",
            "The authentication information is missing.",
            "code: invalid_api_key\nmissing_api_key",
            "Method doesn't allow unregistered callers",
            "未提供令牌",
            "缺少认证信息",
        ),
        misses=(
            "Incorrect API key provided: sk-****9zQn.",
            "Missing required parameter: 'messages'.",
            "invalid api token",
        ),
    ),
    Rule(
        *("key refused", AUTH, "invalid_key", Place.TEXT),
        (
            r"(invalid|incorrect|wrong|bad|malformed|unrecogni[sz]ed|unknown|illegal|leaked|revoked)[ _-]"
            r"(\w+[ _-]){0,3}(api[-_ ]?key|\bkey\b|token\b|credential|authenti|authoriz|x-api-key|subscription"
            r"|password|secret|bearer)",
            _KEY + r"\b.{0,40}(invalid|incorrect|not valid|malformed|is wrong|not recogni[sz]ed|not exist|revoked"
            r"|leaked|unable to find)",
            r"(signature|login).{0,40}(invalid|incorrect|not match|fail)|(api_)?key_invalid",
            r"\b(key|token)\b.{0,12}(is|been|was|currently) deleted",
            r"(authenti|authori[sz]|certificat)\w+ (error|fail|required|unsuccessful)|fail\w* to authenticate",
            r"(user|account) not found|not authenticated|bad credentials",
            r"invalid_(api_?key|authentication|iam_token)|unauthori[sz]ed\b|unauthenticated",
            r"无效的? ?(令牌|密钥|api|token|key)|未授权",
            r"(令牌|密钥|token|key).{0,8}(无效|错误|非法|不正确|不存在)",
            r"(身份|认证|鉴权|身份验证).{0,6}(失败|错误)",
        ),
        hits=(
            "Unknown api key",
            "Authentication Fails, Your api key: ****ab12 is invalid",
            "Incorrect API key provided: <masked_key:3f9a>.",
            "The request signature does not match",
            "This key has been deleted",
            "Validate Certification failed",
            "User not found.",
            "status: UNAUTHENTICATED",
            "无效的令牌",
            "API key 错误",
            "身份验证失败",
        ),
        misses=(
            "Invalid 'max_completion_tokens': integer below minimum value",
            "Invalid JSON payload: unexpected character, expected a string key",
            "Key based authentication is disabled for this resource.",
            "model access denied",
            "unknown keyboard layout",
        ),
    ),
)

"""Errors: key, account, permission, region."""

from typing import Final

from probe.rules.rule import AUTH, MISMATCH, Place, Rule

ACCOUNT: Final = (
    Rule(
        *("address not on the list", AUTH, "ip_not_allowed", Place.TEXT),
        r"\bIP\b.{0,60}(not (authori[sz]ed|allowed|permitted|in\b|on\b|whitelisted)|denied|forbidden|blocked|restrict"
        r"|violat)|ip_(not|block|restrict|deny)|not in.{0,20}(allow|white) ?-?list"
        r"|(ip|address).{0,20}(allow|white)-?list|virtual network|firewall rules|public (network )?access is disabled"
        r"|\bIP.{0,20}(不在|不允许|未授权|受限|限制|禁止)|白名单",
        hits=("Your IP is not authorized. (IP: <ip:1>)", "您的 IP 不在令牌允许访问的列表中"),
        misses=("User location is not supported for the API use.", "description of the tool is not allowed"),
    ),
    Rule(
        *("region", AUTH, "region_blocked", Place.TEXT),
        r"(country|region|territory|location)\b.{0,40}(not (supported|available|allowed|permitted|eligible)"
        r"|unsupported|restrict|block|forbid|prohibit)|unsupported_(country|region)"
        r"|not (available|supported|accessible) in your (country|region|location|area)|geo[-_ ]?(block|restrict|fenc)"
        r"|legal[ _]reasons|(地区|区域|国家|地域).{0,12}(不支持|不可用|限制|禁止|受限)|不支持.{0,8}(地区|区域|国家)",
        hits=("Country, region, or territory not supported", "User location is not supported for the API use."),
        misses=("use a correct regional API endpoint for your resource", "Invalid region in the request"),
    ),
    Rule(
        *("scope or role missing", AUTH, "permission_denied", Place.TEXT),
        r"(insufficient|missing|lacks?|not have|without|required?)\b.{0,25}\b(permissions?|scopes?|privileges?|roles?"
        r"|data action)\b|not (authori[sz]ed|permitted|entitled) to perform|authentication is disabled"
        r"|authenticationtypedisabled|has not been used in project|service_disabled|没有.{0,6}权限|权限不足",
        hits=("You have insufficient permissions for this operation. Missing scopes: api.write.",),
        misses=("Invalid API key", "does not have access to model `m`"),
    ),
    Rule(
        *("account closed", AUTH, "account_disabled", Place.TEXT),
        r"\b(account|organi[sz]ation|user|team|project|workspace|consumer|tenant"
        r"|subscription)s?\b[^.()\n]{0,40}\b(disabled|deactivated|suspended|restricted|banned|blocked|terminated"
        r"|locked|frozen|closed)\b|account_(deactivated|disabled|suspended)|organization_restricted"
        r"|consumer_suspended|invalidaccountstatus"
        r"|(用户|账号|账户|帐号|帐户).{0,10}(封禁|禁用|停用|冻结|注销|封停|锁定|非活动)",
        hits=("Organization has been restricted. Please reach out to support", "该用户已被封禁"),
        misses=("Your organization must be verified to use the model", "Key based authentication is disabled"),
    ),
    Rule(
        *("model: does not exist, or no access", AUTH, "model_not_permitted", Place.WORDS),
        r"\bmodel.{0,160}\b(or|and)\b.{0,60}(have access|permission denied|inaccessible|permission)"
        r"|not found.{0,80}\bor permission denied|\bmodel.{0,60}inaccessible"
        r"|(not exist|not found|不存在).{0,12}(或|或者).{0,12}(无权|没有权限)",
        hits=(
            "The model `m` does not exist or you do not have access to it.",
            "Not found the model m or Permission denied",
        ),
        misses=("The model `m` does not exist.", "This token has no access to model m"),
        runner_up=MISMATCH,
    ),
    Rule(
        *("model not for this account", AUTH, "model_not_permitted", Place.TEXT),
        r"access to (the |this |that |requested )*model|\bmodel\b.{0,120}(access (is )?denied|no access"
        r"|not have access|not (allowed|permitted|authori[sz]ed)|gated)|(not (allowed|permitted|authori[sz]ed)"
        r"|permission) to (access|use|call|invoke|sample from|run).{0,20}\bmodel|verified to use the model"
        r"|key_model_access_denied|not (activated|enabled|opened|subscribed).{0,20}\bmodel|modelnotopen"
        r"|gated (repo|model)|无权(访问|使用|调用).{0,12}模型|模型.{0,40}(无权|未开通|没有权限|未授权)"
        r"|未开放.{0,40}权限",
        hits=("This token has no access to model m", "该令牌无权访问模型 m", "model access denied"),
        misses=("Invalid model name passed in model=m. Call `/v1/models` to view available models for your key.",),
    ),
    Rule(
        *("key expired", AUTH, "expired_key", Place.TEXT),
        r"(key|token|credential|jwt|session|secret)s?\b.{0,40}expired|expired.{0,15}(key|token|credential|jwt)"
        r"|expiredtoken|(key|token)_expired|(令牌|密钥|token|key|凭证).{0,6}过期|已过期",
        hits=("The security token included in the request is expired", "该令牌已过期"),
        misses=("Deadline expired before operation could complete.", "Invalid API key"),
    ),
    Rule(
        *("key missing or invalid", AUTH, "invalid_key", Place.WORDS),
        r"(missing or invalid|invalid or missing|incorrect or missing)",
        hits=("The API key in the request is missing or invalid.",),
        misses=("No API key found in request",),
    ),
    Rule(
        *("key missing", AUTH, "missing_key", Place.TEXT),
        r"\b(no|missing|without|provide|supply|empty|requires?|expected|need)\b(?: \w+){0,4}?[ '\"`]+(api[-_ ]?keys?"
        r"|auth\w*[- ](header|credentials?|tokens?|key)|credentials?|bearer|access token|authorization|x-api-key)\b"
        r"|(api[-_ ]?key|authorization( header)?|credentials?|x-api-key( header)?|bearer( token)?"
        r"|jwt)\b.{0,12}\b(missing|required|not (found|provided|supplied|present|set)|empty|absent)"
        r"|missing[ _](api_?key|auth\w*|token)|api_key_missing|unregistered callers|please carry the api secret"
        r"|未(提供|携带|传入?).{0,8}(令牌|密钥|api|token|key)|缺少.{0,6}(令牌|密钥|key|认证|鉴权)"
        r"|未收到.{0,12}(auth|令牌|token)",
        hits=(
            "No API key found in request",
            "No auth credentials found",
            "You didn't provide an API key.",
            "code: invalid_api_key\nmissing_api_key",
            "未提供令牌",
        ),
        misses=(
            "Incorrect API key provided: sk-****9zQn.",
            "Missing required parameter: 'messages'.",
            "invalid api token",
        ),
    ),
    Rule(
        *("key refused", AUTH, "invalid_key", Place.TEXT),
        r"(invalid|incorrect|wrong|bad|malformed|unrecogni[sz]ed|illegal|leaked|revoked"
        r"|disabled)[ _-](\w+[ _-]){0,3}(api[-_ ]?key|\bkey\b|token\b|credential|authenti|authoriz|x-api-key"
        r"|subscription|password|secret|bearer)|(api[-_ ]?key|access key|x-api-key|\bkey\b|\btoken\b|credential"
        r"|signature|login)s?\b.{0,40}(invalid|incorrect|not valid|malformed|is wrong|not recogni[sz]ed|not exist"
        r"|revoked|leaked|unable to find)|\b(key|token)\b.{0,12}(is|been|was|currently) (disabled|blocked|deleted)"
        r"|authenti\w+ (error|fail|required|unsuccessful)|(authenti|authori[sz])\w+ failed|fail\w* to authenticate"
        r"|login fail|user not found|invalid_(api_?key|authentication|iam_token)|unauthori[sz]ed\b|unauthenticated"
        r"|not authenticated|bad credentials|(api_)?key_invalid|无效的? ?(令牌|密钥|api|token|key)"
        r"|(令牌|密钥|token|key).{0,8}(无效|错误|非法|不正确|不存在|状态不可用|已被?禁用)"
        r"|(身份|认证|鉴权|身份验证).{0,6}(失败|错误)|未授权",
        hits=(
            "Invalid API Key",
            "Authentication Fails, Your api key: ****ab12 is invalid",
            "Incorrect API key provided: <masked_key:3f9a>.",
            "User not found.",
            "无效的令牌",
        ),
        misses=(
            "Invalid 'max_completion_tokens': integer below minimum value",
            "Invalid JSON payload: unexpected character, expected a string key",
            "Key based authentication is disabled for this resource.",
            "model access denied",
        ),
    ),
)

"""4c. Account, permission, address and region: refused before a model ran, and not for the key."""

from typing import Final

from probe.rules.rule import AUTH, DEGRADATION, MISMATCH, Place, Rule

_ACCOUNT: Final = r"\b(account|organi[sz]ation|user|team|project|workspace|consumer|tenant|subscription)s?\b"

ACCOUNT: Final = (
    Rule(
        *("address not on the list", AUTH, "ip_not_allowed", Place.TEXT),
        (
            r"\bIP\b.{0,60}(not (authori[sz]ed|allowed|permitted|in\b|on\b|whitelisted)|denied|forbidden|blocked"
            r"|restrict|violat)|ip_(not|block|restrict|deny)",
            r"not (in|on).{0,20}(allow|white) ?-?list|(ip|address).{0,20}(allow|white)-?list|白名单",
            r"virtual network|firewall rules|public (network )?access is disabled",
            r"\bIP.{0,20}(不在|不允许|未授权|受限|限制|禁止)|网段",
        ),
        hits=(
            "Your IP is not authorized. (IP: <ip:1>)",
            "Source address is not in the allow list",
            "Access denied due to Virtual Network/Firewall rules.",
            "您的 IP 不在令牌允许访问的列表中",
            "该令牌只能在指定网段使用",
        ),
        misses=(
            "User location is not supported for the API use.",
            "description of the tool is not allowed",
            "model m is not in the list",
        ),
    ),
    Rule(
        *("region", AUTH, "region_blocked", Place.TEXT),
        (
            r"(country|region|territory|location)\b.{0,40}(not (supported|available|allowed|permitted|eligible)"
            r"|unsupported|restrict|block|forbid|prohibit)",
            r"unsupported_(country|region)|not (available|supported|accessible) in your (country|region|location|area)",
            r"geo[-_ ]?(block|restrict|fenc)",
            r"(地区|区域|国家|地域).{0,12}(不支持|不可用|限制|禁止|受限)|不支持.{0,8}(地区|区域|国家)",
        ),
        hits=(
            "Country, region, or territory not supported",
            "This service is not available in your region",
            "geo-restricted",
            "您所在的地区不支持使用该服务",
        ),
        misses=("use a correct regional API endpoint for your resource", "Invalid region in the request"),
    ),
    Rule(
        *("legal reasons", AUTH, "region_blocked", Place.TEXT),
        r"legal[ _]reasons",
        hits=("Unavailable For Legal Reasons",),
        misses=("The reason is not legal JSON",),
        runner_up=DEGRADATION,
    ),
    Rule(
        *("model: does not exist, or no access", AUTH, "model_not_permitted", Place.WORDS),
        (
            r"\bmodel.{0,160}\b(or|and)\b.{0,60}(have access|permission denied|inaccessible|permission)",
            r"not found.{0,80}\bor permission denied|not found for (account|organi[sz]ation|user|team|project)",
            r"\bmodel.{0,60}inaccessible",
            r"(not exist|not found|不存在).{0,12}(或|或者).{0,12}(无权|没有权限)|模型.{0,60}或.{0,30}无.{0,4}权限",
        ),
        hits=(
            "The model `m` does not exist or you do not have access to it.",
            "Not found the model m or Permission denied",
            "Function 'f': Not found for account 'a'",
            "Model not found, inaccessible, and/or not deployed",
            "模型名字错误或当前分组下对于模型无使用权限",
        ),
        misses=("The model `m` does not exist.", "This token has no access to model m"),
        runner_up=MISMATCH,
    ),
    Rule(
        *("scope or role missing", AUTH, "permission_denied", Place.TEXT),
        (
            r"(insufficient|missing|lacks?|not have|not enough|without|required?)\b.{0,25}\b"
            r"(permissions?|scopes?|privileges?|roles?|data action)\b",
            r"not (authori[sz]ed|permitted|entitled) to perform",
            r"authentication is disabled|authenticationtypedisabled",
            r"has not been used in project|service_disabled",
            r"没有.{0,6}权限|权限不足|未授权.{0,8}(接口|服务)",
        ),
        hits=(
            "You have insufficient permissions for this operation. Missing scopes: api.write.",
            "User: arn is not authorized to perform: InvokeModel",
            "Key based authentication is disabled for this resource.",
            "code: SERVICE_DISABLED",
            "当前账号权限不足",
        ),
        misses=("Invalid API key", "does not have access to model `m`"),
    ),
    Rule(
        *("model not for this account", AUTH, "model_not_permitted", Place.TEXT),
        (
            r"access to (the |this |that |requested )*model|key_model_access_denied",
            r"\bmodel\b.{0,120}(access (is )?denied|no access|not have access|gated)",
            r"\bmodel\b.{0,120}not (allowed|permitted|authori[sz]ed)\b",
            r"(not (allowed|permitted|authori[sz]ed)|permission) to "
            r"(access|use|call|invoke|sample from|run).{0,20}\bmodel",
            r"model_not_(allowed|permitted)|verified to use the model|gated (repo|model)",
            r"not (activated|enabled|opened|subscribed).{0,20}\bmodel|modelnotopen",
            r"(not|n't|must|has to) (yet )?(agreed?|accept(ed)?)\b.{0,60}(terms|licen[sc]e|agreement|conditions)",
            r"无权(访问|使用|调用).{0,12}模型|无.{0,6}模型.{0,4}权限|模型.{0,40}(无权|未开通|没有权限|未授权)|未开(放|通).{0,40}(权限|模型)",
        ),
        hits=(
            "This token has no access to model m",
            "model access denied",
            "Model m is not allowed for this key",
            "You are not allowed to sample from this model",
            "Your organization must be verified to use the model",
            "Your account has not activated the model m.",
            "User has not agreed to the model terms",
            "该令牌无权访问模型 m",
        ),
        misses=(
            "Invalid model name passed in model=m. Call `/v1/models` to view available models for your key.",
            "method not allowed",
        ),
    ),
    Rule(
        *("account or key closed", AUTH, "account_disabled", Place.TEXT),
        (
            _ACCOUNT + r"[^.()\n]{0,40}\b"
            r"(disabled|deactivated|suspended|restricted|banned|blocked|terminated|locked|frozen|closed)\b",
            r"\b(key|token)s? (has been |have been |is |was |currently )*(disabled|deactivated|blocked|suspended)",
            r"account_(deactivated|disabled|suspended)|organization_restricted|consumer_suspended"
            r"|invalidaccountstatus|(key|user|token|account)_(disabled|inactive|banned|suspended)",
            r"\b(account|user|organi[sz]ation)\b.{0,12}\b(is|been)? ?(not active|inactive)\b|unavailable for account",
            r"(用户|账号|账户|帐号|帐户|令牌|密钥).{0,10}"
            r"(封禁|禁用|停用|冻结|注销|封停|锁定|非活动|状态不可用)",
        ),
        hits=(
            "Organization has been restricted. Please reach out to support",
            "API key is disabled",
            "code: USER_INACTIVE",
            "User account is not active",
            "该用户已被封禁",
            "该令牌状态不可用",
        ),
        misses=(
            "Your organization must be verified to use the model",
            "Key based authentication is disabled",
            "The channel has been disabled",
        ),
    ),
)

# After the words of models: "no permission to use model m" says more than "no permission".
PERMISSION: Final = (
    Rule(
        *("refused with the code of keys", AUTH, "invalid_key", Place.SHEET),
        r"^(type|code): (auth|authentication)_error$",
        hits=("401 json\ntype: auth_error\nno luck",),
        misses=("403 json\ntype: auth_error\nno luck", "401 json\ntype: permission_error"),
        after=r"\A401 ",
    ),
    Rule(
        *("one word of refusal", AUTH, "permission_denied", Place.WORDS),
        r"^(rbac: )?(forbidden|access denied|request forbidden)[.!]?$",
        hits=("Forbidden", "RBAC: access denied"),
        misses=("Forbidden: the key has no scope for this", "access denied to model m"),
        runner_up=DEGRADATION,
    ),
    Rule(
        *("not permitted", AUTH, "permission_denied", Place.TEXT),
        (
            r"permission[_ -]?denied|access[_ ]?denied|no (access|permission)",
            r"\bforbidden\b|disallowed|not (authori[sz]ed|permitted|allowed|entitled)\b",
            r"not have (access|permission)|is not open\b|must be verified",
            r"\bauth_error|authentication_error|authorization required",
            r"无权|禁止访问|拒绝访问",
        ),
        hits=(
            "type: permission_denied_error",
            "Forbidden: the key has no scope for this",
            "The API you are accessing is not open",
            "type: auth_error",
            "无权访问该分组",
        ),
        misses=("Insufficient Balance", "Internal Server Error"),
    ),
)

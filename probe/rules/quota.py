"""4a. Balance, quota, budget and rate: these words beat the status, and the words of keys."""

from typing import Final

from probe.rules.rule import QUOTA, Place, Rule

QUOTAS: Final = (
    Rule(
        *("credits used up, or a limit of spending", QUOTA, "insufficient_quota", Place.TEXT),
        r"used (up )?all.{0,20}credits",
        hits=("Your team has either used all available credits or reached its monthly spending limit.",),
        misses=("You have reached your monthly spending limit.", "used all available retries"),
    ),
    Rule(
        *("billing state", QUOTA, "billing_inactive", Place.TEXT),
        (
            r"billing_not_active|not active.{0,40}billing",
            r"billing (to be |is |not |account |has been )*(enabled|disabled|closed|inactive)",
            r"(requires|enable|without|activate).{0,10}billing",
            r"arrear|overdue|past[- ]due|past invoices|unpaid|in good standing",
            r"payment (method|failed|declined)|valid credit card|card on file",
            r"(no|without)( an?)? active (subscription|plan|membership)",
            r"subscription (is )?required|membership benefits?",
            r"(subscription|membership|plan) (has |have |is |was )*(expired|inactive|cancel|lapsed|not active)",
            r"欠费|逾期|停服|未结清|(套餐|会员|订阅).{0,8}(到期|过期|失效)",
        ),
        hits=(
            "Your account is not active, please check your billing details",
            "This API method requires billing to be enabled",
            "Please activate billing to use this model",
            "code: Arrearage\n",
            "Add a valid payment method to continue",
            "No active subscription found for this group",
            "Subscription required to access the API",
            "Your subscription has expired",
            "您的账户已欠费",
        ),
        misses=(
            "Insufficient credits. Add more at settings/credits",
            "please check your plan and billing details",
            "invalid subscription key",
        ),
    ),
    Rule(
        *("spend limit", QUOTA, "budget_exceeded", Place.TEXT),
        (
            r"budget.{0,20}(exceed|reached|exhausted)|exceed\w*.{0,40}\bbudget|budget_?exceeded",
            r"(reach|exceed|hit)\w*.{0,40}spend(ing)?[ _](limit|cap)",
            r"spend(ing)?[ _](limit|cap).{0,30}(reached|exceeded|hit)|billing[ _]hard[ _]limit",
            r"(预算|消费限额|消费上限).{0,8}(超|用尽|上限|达到)|超(出|过).{0,8}预算",
        ),
        hits=(
            "Budget has been exceeded! Current cost: 5.0, Max budget: 1.0",
            "This request would exceed your account's monthly spend limit.",
            "Billing hard limit has been reached",
            "本月预算已用尽",
        ),
        misses=("thinking.budget_tokens must be at least 1024", "Unsupported parameter: reasoning_budget"),
    ),
    Rule(
        *("daily or monthly allowance", QUOTA, "daily_limit", Place.TEXT),
        (
            r"(limit|quota|allowance|allocation|allotment|requests|tokens|calls|exceeded|exhausted|neurons)"
            r".{0,80}((per[ _-]?|/ ?)(day|week|month)\b|perday|byday|\b(daily|weekly)\b|\b(tpd|rpd)\b|per 86400s)",
            r"(\b(daily|weekly)\b|per[ _-]day|\b(tpd|rpd)\b).{0,80}"
            r"(limit|quota|allowance|allocation|requests|exceeded)",
            r"(monthly|\d[- ]?hours?|five[- ]hour) (usage |request |token )?(limit|quota|allowance)",
            r"usage limits?\b.{0,60}(regain|reset|until|\d+ hours?\b)",
            r"quota.{0,40}(reset|replenish|renew|refresh)\w*.{0,20}(\d\dh|\dh|\d:\d\d|hours?\b|tomorrow)",
            r"(每日|每天|每周|每月|当日|今日|单日|小时).{0,20}(限|额度|次数|上限|用完)|日(请求|调用)?(配额|限额|额度)",
        ),
        hits=(
            "Rate limit reached for model `m` on tokens per day (TPD): Limit 100000, Used 97050",
            "Rate limit exceeded: free-models-per-day. Add 10 credits",
            "You have reached your daily request limit",
            "5-hour usage limit reached",
            "You have reached your specified API usage limits. You will regain access on 2026-01-01",
            "Out of call volume quota. Quota will be replenished in 06:14:33.",
            "Your quota will reset after 8h44m7s.",
            "今日请求次数已达上限",
        ),
        misses=(
            "Rate limit reached on tokens per minute (TPM): Limit 5000",
            "have exceeded token rate limit of your tier. Please retry after 86400 seconds.",
            "Quota exceeded, please retry in 12s",
            "the key expires in 30 days",
        ),
    ),
    Rule(
        *("quota of this key", QUOTA, "token_quota_exhausted", Place.TEXT),
        (
            r"pre_consume_token_quota_failed|tokenstatusexhausted",
            r"令牌.{0,6}(额度|用尽|耗尽|用完)",
            r"\btoken (quota|balance)\b.{0,20}(exhausted|not enough|insufficient|exceeded)",
            r"\btoken (has been|is) exhausted",
            r"\bkey\b.{0,12}\b(limit|quota)\b.{0,12}(exceeded|reached|exhausted)",
            r"(quota|limit) (of|for) (this|the|your) (api )?key\b|key[ _](quota|limit)[ _]exhausted",
        ),
        hits=(
            "code: pre_consume_token_quota_failed\n服务繁忙",
            "该令牌额度已用尽 TokenStatusExhausted[sk-Qw3***7Yk]",
            "token quota is not enough, token remain quota: 0",
            "This token has been exhausted",
            "Key limit exceeded (total limit)",
            "The quota for this API key is used up",
        ),
        misses=(
            "code: token_quota_exceeded\nTokens per minute limit exceeded",
            "该令牌无权访问模型",
            "令牌已过期",
            "keyboard limit exceeded",
        ),
    ),
    Rule(
        *("rate, with its unit", QUOTA, "rate_limited", Place.TEXT),
        (
            r"(requests?|tokens?|calls?|queries|limit|quota).{0,40}"
            r"( per |/ ?|per|each )(second|minute|min|hour)\b",
            r"(?-i:\b(RPM|TPM|QPS|QPM|RPS|ITPM|OTPM)\b).{0,40}limit",
            r"limit.{0,40}(?-i:\b(RPM|TPM|QPS|QPM|ITPM|OTPM)\b)",
            r"call rate limit|token rate limit|requests? in \d+ (second|minute|hour)",
            r"每?分钟内?.{0,10}(最多|请求|次)",
        ),
        hits=(
            "Rate limit reached on tokens per minute (TPM): Limit 5000",
            "TPM limit reached",
            "The limit is 5 QPS",
            "Requests have exceeded call rate limit of your tier",
            "您已达到请求数限制：1分钟内最多请求20次",
        ),
        misses=("Insufficient Balance", "Please try again in 5 minutes", "max_tokens: limit is 4096"),
    ),
    Rule(
        *("no money or quota left", QUOTA, "insufficient_quota", Place.TEXT),
        (
            r"insufficient[ _](\w+[ _]){0,2}(balance|credits?|quota|funds?)\b|insufficient_\w*(quota|balance|credit)",
            r"(balance|credits?|quota|funds?|free (tier|trial|quota))\b.{0,60}"
            r"(insufficient|not enough|too low|exhausted|depleted|used up|ran out|run out|negative|expired|consumed)",
            r"(not|n't) (have )?(enough|any|sufficient) (\w+ )?(balance|credits?|quota|funds)|balance_?not_?enough",
            r"(exceeded|exhausted|used|reached|out of|more).{0,25}\b"
            r"(credits|current quota|call volume quota|free trial quota|balance)\b",
            r"no (more )?(credits|balance) (left|remain|available)",
            r"\bquota exceeded *([.!]|$)|(^|[:.!] ?)limit exceeded *([.!]|$)",  # nothing is said of a rate
            r"check your plan and billing|(current|account|user) quota|(credit|usage)s? ?limit",
            r"(top[- ]up|recharge)\b|add (more )?(funds|credits?)\b|充值",
            r"(额度|配额|余额|积分|资源包|点数).{0,12}(不足|用尽|耗尽|用完|为负|失败|已用|欠)",
        ),
        hits=(
            "Insufficient Balance",
            "Your credit balance is too low to access the API",
            "user [3446] quota [-20847155]preConsumedQuota [743]is not enough",
            "you do not have enough credits",
            "You have run out of credits",
            "There is no balance left",
            "Quota exceeded",
            "You exceeded your current quota, please check your plan and billing details",
            "Please top up your account",
            "预扣费额度失败, 用户剩余额度: 2.53",
        ),
        misses=(
            "Resource has been exhausted (e.g. check quota).",
            "Quota exceeded for metric generate_requests",
            "You can find your API key at settings; no credit card needed",
            "Service tier capacity exceeded for this model.",
            "load balancer: no healthy upstream",
        ),
    ),
)

# After the words of load: a server that has no capacity also says that there are too many requests.
RATES: Final = (
    Rule(
        *("rate limit", QUOTA, "rate_limited", Place.TEXT),
        (
            r"rate[-_ ]?limit|throttl|slow down",
            r"too[ _]many[ _](requests|messages|concurrent)|too many tokens.{0,20}(wait|per|processed)",
            r"(request|concurren\w+)s? limit|max(imum)? (\w+ )?concurren",
            r"resource (has been )?exhausted|resource_exhausted",
            r"(quota|limit)[ _]exceeded|exceeded.{0,30}\bquota",
            r"限流|限速|频率|速率|流量限制",
            r"请求(数|次数)?.{0,4}(限|过多|过快|频繁)|次数.{0,6}限",
            r"并发.{0,8}(限|过高|超)",
        ),
        hits=(
            "Requests rate limit exceeded",
            "Too many tokens, please wait before trying again.",
            "You have reached the maximum concurrent connections",
            "Resource has been exhausted (e.g. check quota).",
            "Quota exceeded for metric generate_requests",
            "触发限流，请稍后重试",
            "请求过于频繁",
            "您当前使用该API的并发数过高",
        ),
        misses=(
            "This model's maximum context length is 4096 tokens",
            "Request body too large",
            "the limit of the window",
        ),
    ),
)

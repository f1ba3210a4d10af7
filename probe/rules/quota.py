"""Errors: balance, quota, budget and rate."""

from typing import Final

from probe.rules.rule import QUOTA, Place, Rule

QUOTAS: Final = (
    Rule(
        *("daily or monthly allowance", QUOTA, "daily_limit", Place.TEXT),
        r"(limit|quota|allowance|allocation|allotment|requests|tokens|calls|exceeded|exhausted"
        r"|neurons).{0,80}((per[ _-]?|/ ?)(day|week|month)\b|perday|byday|\b(daily|weekly)\b|\b(tpd|rpd)\b"
        r"|per 86400s)"
        r"|(\b(daily|weekly)\b|per[ _-]day|\b(tpd|rpd)\b).{0,80}(limit|quota|allowance|allocation|requests|exceeded)"
        r"|(monthly|5[- ]hour|five[- ]hour) (usage |request |token )?(limit|quota|allowance)"
        r"|usage limits?\b.{0,60}(regain|reset|until)"
        r"|(每日|每天|每周|每月|当日|今日|单日|小时).{0,20}(限|额度|次数|上限)",
        hits=(
            "Rate limit reached for model `m` on tokens per day (TPD): Limit 100000, Used 97050",
            "Rate limit exceeded: free-models-per-day. Add 10 credits",
            "今日请求次数已达上限",
        ),
        misses=(
            "Rate limit reached on tokens per minute (TPM): Limit 5000",
            "have exceeded token rate limit of your tier. Please retry after 86400 seconds.",
        ),
    ),
    Rule(
        *("spend limit", QUOTA, "budget_exceeded", Place.TEXT),
        r"budget.{0,20}(exceed|reached|exhausted)|exceed\w*.{0,40}\bbudget|budget_exceeded|budgetexceeded"
        r"|spend(ing)?[ _](limit|cap).{0,30}(reached|exceeded|hit)"
        r"|(reached|exceeded|hit).{0,40}spend(ing)?[ _](limit|cap)|billing[ _]hard[ _]limit"
        r"|(预算|消费限额).{0,8}(超|用尽|上限)",
        hits=("Budget has been exceeded! Current cost: 5.0, Max budget: 1.0", "type: budget_exceeded\n"),
        misses=("thinking.budget_tokens must be at least 1024", "Unsupported parameter: reasoning_budget"),
    ),
    Rule(
        *("billing state", QUOTA, "billing_inactive", Place.TEXT),
        r"billing_not_active|not active.{0,40}billing|arrear|overdue|past[- ]due|past invoices|unpaid"
        r"|in good standing|payment (method|failed|declined)|(requires|enable|without|activate).{0,10}billing"
        r"|billing (to be |is not |is |account )*(enabled|disabled|closed|inactive)|valid credit card|card on file"
        r"|欠费|逾期|停服|未结清|套餐.{0,8}(到期|过期)",
        hits=("Your account is not active, please check your billing details", "code: Arrearage\n", "您的账户已欠费"),
        misses=("Insufficient credits. Add more at settings/credits", "please check your plan and billing details"),
    ),
    Rule(
        *("quota of this key", QUOTA, "token_quota_exhausted", Place.TEXT),
        r"pre_consume_token_quota_failed|tokenstatusexhausted|令牌.{0,6}(额度|用尽|耗尽|用完)"
        r"|\btoken (quota|balance)\b.{0,20}(exhausted|not enough|insufficient|exceeded)"
        r"|\btoken (has been|is) exhausted|\bkey\b.{0,12}\b(limit|quota)\b.{0,12}(exceeded|reached|exhausted)"
        r"|(quota|limit) (of|for) (this|the|your) (api )?key\b",
        hits=("该令牌额度已用尽 TokenStatusExhausted[sk-Qw3***7Yk]", "code: pre_consume_token_quota_failed\n服务繁忙"),
        misses=("code: token_quota_exceeded\nTokens per minute limit exceeded", "该令牌无权访问模型", "令牌已过期"),
    ),
    Rule(
        *("rate, with its unit", QUOTA, "rate_limited", Place.TEXT),
        r"(requests?|tokens?|calls?|queries|limit|quota).{0,40}( per |/ ?|per|each )(second|minute|min|hour)\b"
        r"|(?-i:\b(RPM|TPM|QPS|QPM|RPS|ITPM|OTPM)\b).{0,40}limit|limit.{0,40}(?-i:\b(RPM|TPM|QPS|QPM|ITPM|OTPM)\b)"
        r"|call rate limit|token rate limit|requests? in \d+ (second|minute|hour)|每?分钟内?.{0,10}(最多|请求|次)",
        hits=("Rate limit reached on tokens per minute (TPM): Limit 5000", "您已达到请求数限制：1分钟内最多请求20次"),
        misses=("Insufficient Balance", "Please try again in 5 minutes"),
    ),
    Rule(
        *("no money or quota left", QUOTA, "insufficient_quota", Place.TEXT),
        r"insufficient[ _](\w+[ _]){0,2}(balance|credits?|quota|funds?)\b|(balance|credits?|quota|funds?"
        r"|free (tier|trial|quota))\b.{0,60}(insufficient|not enough|too low|exhausted|depleted|used up|ran out"
        r"|run out|negative|expired|consumed)"
        r"|(not|n't) (have )?(enough|any|sufficient) (\w+ )?(balance|credits?|quota|funds)|(credit|usage)s? ?limit"
        r"|(exceeded|exhausted|used|reached|out of|more).{0,25}\b(credits|current quota|call volume quota"
        r"|free trial quota|balance)\b|no (more )?(credits|balance) (left|remain|available)"
        r"|check your plan and billing|(current|account|user) quota|insufficient_\w*(quota|balance|credit|fund)"
        r"|balance_?not_?enough|top[- ]up|recharge"
        r"|(额度|配额|余额|积分|资源包|点数).{0,12}(不足|用尽|耗尽|用完|为负|失败|已用|欠)|充值",
        hits=(
            "Insufficient Balance",
            "Your credit balance is too low to access the API",
            "user [3446] quota [-20847155]preConsumedQuota [743]is not enough",
            "预扣费额度失败, 用户剩余额度: 2.53",
        ),
        misses=(
            "Resource has been exhausted (e.g. check quota).",
            "You can find your API key at settings; no credit card needed",
            "Service tier capacity exceeded for this model.",
        ),
    ),
)

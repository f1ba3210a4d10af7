"""Errors: load, capacity, no channel."""

from typing import Final

from probe.rules.rule import AUTH, DEGRADATION, MISMATCH, QUOTA, Place, Rule

_OVERLOAD: Final = (
    r"overload|saturat|(over|at|out of|no|insufficient|limited) capacity|no .{0,15}capacity"
    r"|high (demand|traffic|load)"
    r"|capacity (is |has been |temporarily |currently )*(exceeded|constrain|limit|unavailable|reached)"
    r"|capacity_exceeded|(too|very|currently|is|are|server|system|service|engine|model)[ _]busy"
    r"|queue.{0,15}(full|exceeded|overflow)|pending requests exceeded|no slots? available|slot unavailable"
    r"|worker.{0,30}limit reached|all (endpoints|workers|instances|backends|providers)\b.{0,120}(unavailable|busy)"
    r"|饱和|负载|繁忙|过载|拥挤|访问量过大|资源(紧张|不足)|算力不足"
)

CAPACITY: Final = (
    Rule(
        *("account's data policy", AUTH, "permission_denied", Place.WORDS),
        r"data policy|privacy setting",
        hits=("No endpoints found matching your data policy (Free model publication).",),
        misses=("No endpoints found for this model.",),
        runner_up=DEGRADATION,
    ),
    Rule(
        *("overloaded, with the status of a limit", DEGRADATION, "upstream_overloaded", Place.SHEET),
        rf"(?s:\A4\d\d .*)({_OVERLOAD})",
        hits=(
            "429 json\ncode: 429\nNo capacity available for model m on the server",
            "429 json\n当前分组上游负载已饱和",
        ),
        misses=("429 json\nRate limit exceeded", "503 json\nThe model is overloaded"),
        runner_up=QUOTA,
    ),
    Rule(
        *("overloaded", DEGRADATION, "upstream_overloaded", Place.TEXT),
        _OVERLOAD,
        hits=(
            "The model is overloaded. Please try again later.",
            "m is currently over capacity",
            "request queue is full",
        ),
        misses=("128000 token capacity required", "Service temporarily unavailable", "model failed to load"),
    ),
    Rule(
        *("no channel", DEGRADATION, "no_channel", Place.TEXT),
        r"无可用|没有可用|暂无可用|渠道.{0,6}(禁用|不可用|不存在)"
        r"|(channel|deployment|upstream|backend)s? (is|are|has been) (disabled|unavailable)|\bno (allowed |healthy "
        r"|suitable |active )*(channel|deployment|worker|endpoint|provider|instance|server|backend|upstream|replica"
        r"|peer|node)s?\b(?: (is |are )?(currently )?(available|found|online|ready|configured|healthy))?"
        r"|no[_ ]available[_ ]\w+|no_healthy_upstream|get_channel_failed|cool ?down|ring-balancer|no models? loaded",
        hits=(
            "No available channels for model m in group default",
            "当前分组 default 下对于模型 m 无可用渠道",
            "No deployments available for selected model. Passed model=m",
            "该渠道已被禁用",
            "no healthy upstream",
        ),
        misses=("no Route matched with those values", "The model `m` does not exist.", "该令牌状态不可用"),
        runner_up=MISMATCH,
    ),
    Rule(
        *("rate limit", QUOTA, "rate_limited", Place.TEXT),
        r"rate[-_ ]?limit|too[ _]many[ _](requests|tokens|messages|concurrent)|throttl|resource (has been )?exhausted"
        r"|resource_exhausted|(request|concurren\w+)s? limit|max(imum)? (\w+ )?concurren|quota[ _]exceeded"
        r"|exceeded.{0,30}\bquota|limit[ _]exceeded|slow down|限流|限速|频率|速率|流量限制"
        r"|请求(数|次数)?.{0,4}(限|过多|过快|频繁)|并发.{0,8}(限|过高|超)|次数.{0,6}限",
        hits=("Requests rate limit exceeded", "Too many tokens, please wait before trying again.", "请求过于频繁"),
        misses=("This model's maximum context length is 4096 tokens", "Request body too large"),
    ),
)

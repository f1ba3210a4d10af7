"""4b. Load and capacity: these words are the provider's affair, whatever the status says."""

from typing import Final

from probe.rules.rule import AUTH, DEGRADATION, MISMATCH, QUOTA, Place, Rule

# Load, which passes; and room, of which a fair second engineer would say that it was sold too small.
_LOAD: Final = (
    r"overload|high (demand|traffic|load)|过载|访问量过大|拥挤",
    r"(too|very|currently|is|are|server|system|service|engine|model)[ _]busy|繁忙",
    r"queue.{0,15}(full|exceeded|overflow)|pending requests exceeded",
    r"no slots? available|slot unavailable|worker.{0,30}limit reached",
    r"no more .{0,30}\bto (forward|route|send|serve)",
    r"资源(紧张|不足)|算力不足",
)
_ROOM: Final = (
    r"saturat|饱和|负载",
    r"(over|at|out of|no|insufficient|limited|exhausted)( \w+)? capacity|no .{0,15}capacity|capacity_exceeded",
    r"capacity (is |has been |temporarily |currently )*(exceeded|constrain|limit|unavailable|reached)",
    r"all (endpoints|workers|instances|backends|providers)\b.{0,120}(unavailable|busy)",
)
_ROOM_HITS: Final = (
    "当前分组上游负载已饱和，请稍后再试",
    "m is currently over capacity",
    "Service tier capacity exceeded for this model.",
    "All providers are temporarily unavailable",
)

CAPACITY: Final = (
    Rule(
        *("account's data policy", AUTH, "permission_denied", Place.WORDS),
        r"data policy|privacy setting|guardrail restriction",
        hits=("No endpoints found matching your data policy (Free model publication).",),
        misses=("No endpoints found for this model.",),
        runner_up=DEGRADATION,
    ),
    Rule(
        *("no channel", DEGRADATION, "no_channel", Place.TEXT),
        (
            r"\bno[_ ](allowed |healthy |suitable |active |available |eligible )*"
            r"(channel|deployment|endpoint|provider)s?\b",
            r"\bno[_ ](available|usable|valid|healthy)[_ ](model|route|group|account|key)s?\b",
            r"(channel|deployment|upstream|backend|endpoint)s? (that )?(is|are|has been) (currently )?"
            r"(disabled|unavailable|closed|offline)",
            r"not supported by any provider|cool ?down",
            r"无可用|没有可用|暂无可用|渠道.{0,6}(禁用|不可用|不存在)|可用渠道失败",
        ),
        hits=(
            "No available channels for model m in group default",
            "No deployments available for selected model. Passed model=m",
            "No available accounts: Token pool is empty",
            "Forbidden – channel has been disabled.",
            "The requested model 'm' is not supported by any provider you have enabled.",
            "当前分组 default 下对于模型 m 无可用渠道",
        ),
        misses=(
            "no Route matched with those values",
            "The model `m` does not exist.",
            "该令牌状态不可用",
            "No API key found in request",
            "The provider is not reachable",
        ),
        runner_up=MISMATCH,
    ),
    Rule(
        *("no server behind a proxy", DEGRADATION, "no_channel", Place.TEXT),
        r"\bno[_ ](healthy |active |available )*(worker|instance|server|backend|upstream|replica|peer|node)s?\b"
        r"|no_healthy_upstream|ring-balancer",
        hits=("no healthy upstream", "No available workers (all circuits open)", "no available server"),
        misses=("the server has no answer", "the server is not available in your region"),
    ),
    Rule(
        *("load", DEGRADATION, "upstream_overloaded", Place.TEXT),
        _LOAD,
        hits=(
            "The model is overloaded. Please try again later.",
            "We're experiencing high demand",
            "服务器繁忙，请稍后再试",
            "request queue is full",
            "no slot available",
            "No more data centers to forward the request to",
            "算力不足，请稍后重试",
        ),
        misses=("Service temporarily unavailable", "model failed to load", "the payload is too high"),
    ),
    Rule(
        *("no room, with the status of a limit", DEGRADATION, "upstream_overloaded", Place.SHEET),
        _ROOM,
        hits=tuple(f"429 json\n{words}" for words in _ROOM_HITS),
        misses=("429 json\nRate limit exceeded", "503 json\nm is over capacity"),
        runner_up=QUOTA,
        after=r"\A4\d\d ",
    ),
    Rule(
        *("no room", DEGRADATION, "upstream_overloaded", Place.TEXT),
        _ROOM,
        hits=_ROOM_HITS,
        misses=("128000 token capacity required", "the capacity planning page"),
    ),
)

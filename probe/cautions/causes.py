"""Causes that are named, and parts of the provider that nobody outside can see."""

from typing import Final

from probe.cautions import excuses
from probe.cautions.row import OWN_WORDS, CautionKind, Row

CAUSE: Final = CautionKind.ROOT_CAUSE
_THEIRS: Final = (
    r"(?:your|their|cometapi(?:['’]s)?|(?:the |a )?(?:provider|vendor|upstream|gateway|supplier)(?:['’]s)?)"
)
_PART: Final = (
    r"(?:side|end|servers?|load ?balancers?|balancer|gateways?|prox(?:y|ies)|databases?|db"
    r"|back-?ends?|clusters?"
    r"|infra(?:structure)?|networks?|edge|cdn|caches?|queues?|schedulers?|gpus?"
    r"|deploy(?:ment)?s?|upstreams?|vendors?"
    r"|capacity|firewalls?|dns|certificates?|rate limiters?|billing system|tokenizers?"
    r"|routers?|workers?|data ?cent(?:er|re)s?"
    r"|regions?|channels?|releases?|systems?|platform)"
)

ROWS: Final = (
    Row(
        "a cause is named",
        CAUSE,
        OWN_WORDS,
        (
            r"\b(?:root[ -]causes?|rca)\s*(?::|=|：|\bis\b|\bwas\b|\bare\b)",
            r"\bthe (?:real |actual |underlying )?(?:cause|culprit)\s*(?::|：|\bis\b|\bwas\b)",
            r"\bcaused by\b",
            r"\bthat(?:['’]s| is) why\b|\bthe reason (?:is|was) that\b|\b(?:is|are) to blame\b|\b(?:is"
            r"|was) on you\b|\byour fault\b",
            r"\b(?:traced|tracked) (?:it |this |that |the \w+ )?(?:back |down )?to\b",
            r"\b(?:because(?: of)?|due to|thanks to|owing to|stems? from|result of"
            rf"|comes? from)\b(?:[^,]{{0,40}}?\b{_THEIRS}| (?:an? |the )(?:\w+ ){{0,2}}?{_PART})\b",
            r"\b(?:die |der )?(?:ursache|fehlerursache|hauptursache|grund(?: dafür| hierfür)?)\s*(?::"
            r"|\bist\b|\bwar\b|\bsind\b)",
            r"\b(?:liegt|lag|liegen|lagen) (?:\w+ )?(?:an|am) (?:ihr|eur|dem|der|den|einem|einer|eure"
            r"|load|gateway|server)",
            r"\bverursacht (?:durch|von)\b|\b(?:durch|von) [^,]{0,40}\bverursacht\b",
            r"\bschuld (?:ist|sind|war|waren|hat)\b",
            r"\b(?:wegen|weil|aufgrund) (?:ihr|eur|des providers|der provider)",
            r"(?:根本)?原因(?:是|在于|为|：)",
            r"(?:由于|因为)[^。,，]{0,12}(?:你们|您|贵方|贵司|服务器|网关|上游|供应商)",
            r"由[^。,，]{0,16}(?:引起|导致|造成)",
        ),
        (
            "The root cause is a full disk on your server.",
            "RCA: expired certificate",
            "The underlying cause was a bad release.",
            "The failures are caused by an overloaded region.",
            "You changed the alias, that's why the answers changed.",
            "We traced it to a bad deploy.",
            "It fails because your load balancer drops idle connections.",
            "Timeouts due to a DNS problem at the provider.",
            "Ursache ist ein voller Speicher.",
            "Es liegt an Ihrem Server.",
            "Der Ausfall wurde verursacht durch ein Update.",
            "Schuld ist ein neuer Proxy.",
            "Das passiert, weil Ihr Gateway voll ist.",
            "根本原因是磁盘已满。",
            "因为你们的网关有问题。",
            "故障由升级引起。",
        ),
        (
            "The root cause is not known.",
            "Please tell us what the root cause was.",
            "It could be caused by our own proxy.",
            "You confirmed that it was caused by a bad deploy.",
            "The root cause is stated at https://status.example.test/1.",
            "We paused the queue because the error rate passed our threshold.",
            "Orders were delayed due to the failing calls.",
            "Die Ursache ist unbekannt.",
            "原因尚不清楚。",
            "The server said `caused by: upstream timeout`.",
        ),
        excused=f"{excuses.NOT_CLAIMED}|{excuses.EVIDENCED}",
    ),
    Row(
        "a part of theirs is judged",
        CAUSE,
        OWN_WORDS,
        (
            rf"\b{_THEIRS} (?:\w+ ){{0,2}}?{_PART} (?:must be |seems? (?:to be )?|is |are |was |were "
            r"|has |have |looks? )"
            r"(?:\w+ ){0,2}?(?:overload|down\b|broken|buggy|misconfigured|at fault|to blame|leak"
            r"|out of|dropp|throttl|exhausted"
            r"|saturated|unhealthy|crash|corrupt|failing|failed|full\b|dead\b|expired)",
            r"\b(?:bug|regression|leak|misconfiguration|defect|flaw|race condition|deadlock|problem"
            rf"|fault) (?:in|on|at|with|of) {_THEIRS}\b",
            rf"\b(?:clearly|obviously|definitely|certainly|surely|undoubtedly)\b[^,]{{0,30}}\b{_THEIRS}\b",
            r"\byou(?:r team)? (?:must have |have |probably |just |recently |obviously ){0,2}(?:broke"
            r"|throttled?|misconfigured|overloaded|rolled out)\b",
            rf"\b{_THEIRS} (?:\w+ ){{0,3}}?(?:died|crashed|broke|hung|froze|went down|fell over|ran out"
            r"|(?:cannot|can't|could not) (?:handle|cope|keep up)|silently|secretly|quietly)\b",
            r"\byou are (?:\w+ )?(?:throttling|rate[ -]limiting|blocking|dropping|overloaded|down\b|out of)",
            r"\b(?:probably|(?:most |very )?likely|looks like|sounds like|apparently|presumably"
            r"|must be|(?:i|we) (?:think|guess|bet|suspect|believe"
            rf"|assume))\b[^,]{{0,60}}?\b(?:{_THEIRS}|(?:the|an?) (?:\w+ )?{_PART})\b",
            r"\bcannot handle the load\b",
            # Nobody outside sees the insides of a provider: naming one of its parts is a guess already.
            r"\b(?:your|their|cometapi's|the provider's) (?:\w+ ){0,2}?(?:load ?balancers?|databases?"
            r"|db|back-?ends?|clusters?|nodes?|kubernetes|autoscalers?|redis|caches?|queues?"
            r"|schedulers?|gpus?|pools?|workers?|deployments?|migrations?|rollouts?|firewalls?"
            r"|replicas?|vendors?)\b",
            r"\b(?:provider|vendor|upstream|supplier|cometapi) (?:has |have |probably "
            r"|must have )?(?:revoked|throttled?|blocked|swapped|dropped|limited)\b",
            r"\b(?:ihre?|eure?|euer)\w{0,2} (?:\w+ ){0,3}?(?:ist|sind|war"
            r"|waren) (?:\w+ ){0,2}?(?:überlastet|ausgefallen|kaputt|defekt|falsch|schuld|down)\b",
            r"(?:你们|您|贵方|贵司|服务器|网关|上游|数据库|负载均衡)的?[^。,，]{0,10}(?:过载|故障|宕机|崩溃|挂了|出错|有问题)",
        ),
        (
            "Your side is overloaded.",
            "The provider's database must be down.",
            "There is a bug in your streaming proxy.",
            "It is clearly your network.",
            "You just broke the tokenizer.",
            "Your cache died at night.",
            "You are throttling us.",
            "It is probably a bad node in your pool.",
            "The cluster cannot handle the load.",
            "Something in your autoscaler fell asleep.",
            "The upstream revoked a key.",
            "Ihr Server ist überlastet.",
            "你们的服务器过载。",
        ),
        (
            "Your API answered 503 to 3 of 5 probes.",
            "Our side is overloaded.",
            "Is your side overloaded?",
            "We do not know whether your gateway is down.",
            "Your status page says that the gateway is down.",
            "We rolled out nothing at that time.",
            "We think the case is urgent.",
            "Most likely we go back to the fallback model.",
            "Unser Server war nicht überlastet.",
        ),
        excused=f"{excuses.NOT_CLAIMED}|{excuses.EVIDENCED}",
    ),
)

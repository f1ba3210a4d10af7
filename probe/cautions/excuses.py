"""What takes a warning back, or says that it was never one: hedges, questions, evidence, sources, negations."""

from typing import Final

# "Probably" and "we suspect" take nothing back: they are what a speculation sounds like.
NOT_CLAIMED: Final = (
    r"\bpossibl[ey]\b|\bmay\b|\bmight\b|\bcould\b|\bperhaps\b|\bmaybe\b|\bunknown\b|\bunclear\b|\bunconfirmed\b"
    r"|\bnot (?:yet )?(?:known|clear|sure|certain|confirmed)\b|\b(?:do|does|did|can"
    r"|could)(?: ?not|n't) (?:yet )?(?:know|tell|say|see)\b"
    r"|\bcannot (?:tell|say|see)\b|\bwhether\b|\bplease (?:tell|let|share|confirm|look|check"
    r"|verify)\b|\bonce you\b|\bno idea\b"
    r"|[?？]|\bunbekannt\b|\bunklar\b|\bmöglich|\bvielleicht\b|\bnicht (?:bekannt|klar"
    r"|sicher)\b|\bwissen (?:wir )?nicht\b"
    r"|不清楚|不知道|未知|不明|可能|也许|是否"
)
EVIDENCED: Final = (
    r"https?://\S|\bconfirmed (?:by|that)\b|\b(?:you|they|cometapi|the provider"
    r"|support) (?:has |have )?(?:confirmed|wrote|told|announced)\b"
    r"|\bstatus page\b"
)
SOURCED: Final = (
    r"https?://\S|\bx-ratelimit-|\bratelimit-(?:limit|policy|remaining)|\b(?:read|accessed"
    r"|checked|verified|as) (?:on|at|of)? ?\d{4}-\d\d-\d\d"
    r"|\bour own\b|\bconfigured\b|\bwe (?:only )?(?:send|sent|make|made|ran|run)\b"
    r"|\bour (?:probe|traffic|budget)\b"
)
NONE_OF_IT: Final = (
    r"\bno\b|\bnot\b|\bnever\b|\bwithout\b|n't\b|\bredacted\b|\bremoved\b|\breplaced?\b"
    r"|\bsynthetic\b|\bplaceholders?\b"
    r"|\bkeine?n?\b|\bohne\b|\bgeschwärzt|\bsynthetisch|没有|未附|不含|已脱敏|已删除|合成"
)

"""Limits, prices and bills that are stated without a source."""

from typing import Final

from probe.cautions import excuses
from probe.cautions.row import OWN_WORDS, CautionKind, Row

CLAIM: Final = CautionKind.UNSOURCED_CLAIM
_NUMBER: Final = r"\d[\d.,]*\s?[kKmM]?"
_MONEY: Final = (
    r"(?:[$€£¥]\s?\d[\d.,]*"
    r"|\d[\d.,]*\s?(?:usd|eur|euros?|dollars?|us-dollar|cents?|gbp|cny|rmb|yuan|美元|人民币|元|[$€£¥]))"
)
_PAID: Final = (
    r"(?:\bcosts?\b|charg|\bpric|\bbill|\binvoic|\bcredits?\b|\bfees?\b|\brefund|\btokens?\b"
    r"|\bbalance\b|\bkoste|\bpreis"
    r"|rechnung|guthaben|abgerechnet|计费|收费|扣费|价格|费用|账单|余额)"
)

ROWS: Final = (
    Row(
        "a limit",
        CLAIM,
        OWN_WORDS,
        (
            rf"\b{_NUMBER}\s?(?:rpm|tpm|rps|qps|rpd|tpd|rph)\b",
            rf"\b(?:rpm|tpm|rps|qps|rpd|tpd|rph)\b[^,]{{0,20}}\b{_NUMBER}\b",
            rf"\b{_NUMBER}\s?(?:\w+ )?(?:requests?|calls?|tokens?|queries|messages)\s?(?:per|an?|each"
            r"|every|/)\s?(?:second|sec|s|minute|min|hour|h|day|month)\b",
            r"\b(?:rate ?limits?|quotas?|usage limits?|token limits?|request limits?|limits?"
            rf"|allowances?)\b(?: \w+){{0,6}}? ?(?:is|are|of|was|were|=|:|at|to)\s(?:only |about "
            rf"|currently ){{0,2}}{_NUMBER}",
            rf"\b(?:max(?:imum|\.)?|at most|up to) (?:is |of )?{_NUMBER}\s?(?:\w+ )?(?:connections"
            r"|requests|calls|tokens|streams|queries)\b",
            r"\b(?:free tier|tier \d|(?:our|the|your) (?:\w+ )?plan)\b[^,]{0,40}?\b(?:allows?"
            r"|includes?|gives?|has no|unlimited|no (?:\w+ )?(?:cap|limit)s?)\b",
            rf"\b(?:limited|capped|restricted|throttled) to (?:only |about )?{_NUMBER}\b",
            rf"\b{_NUMBER}\s?(?:anfragen|aufrufe|requests?|tokens?) (?:pro|je) (?:sekunde|minute|stunde"
            r"|tag|monat)\b",
            r"\b(?:limit|kontingent|obergrenze) (?:\w+ )?(?:ist|liegt bei|beträgt|von) \d",
            r"每(?:分钟|秒钟?|小时|天|日|月)[^。,，]{0,8}\d+|\d+\s?次[/每](?:分钟|秒|小时|天)",
            r"(?:限额|配额|限流|上限)(?:是|为|：)?\s?\d+",
        ),
        (
            "Our limit is 60 RPM.",
            "The TPM limit of 90k was not reached.",
            "The plan allows 500 requests per minute.",
            "The quota of this key is 2,000,000 tokens.",
            "Max is 200 concurrent connections.",
            "Requests are limited to 20 a minute.",
            "The free tier has no daily cap.",
            "Es sind 100 Anfragen pro Minute erlaubt.",
            "Das Limit liegt bei 100.",
            "每分钟60次。",
            "配额为1000。",
        ),
        (
            "The docs state 60 requests per minute (https://docs.example.test/limits).",
            "The header x-ratelimit-limit-requests said 60 RPM.",
            "The error was `Rate limit reached: Limit 3 RPM`.",
            'It said "Limit 3, Used 3 RPM".',
            "We send 2 requests per minute.",
            "1200 requests failed in 10 minutes.",
            "Is the limit of 60 RPM still right?",
            "It stopped at our own limit of 25 s.",
            "HTTP 429 on 4 of 4 attempts.",
        ),
        excused=f"{excuses.SOURCED}|{excuses.NOT_CLAIMED}",
    ),
    Row(
        "a price or a bill",
        CLAIM,
        OWN_WORDS,
        (
            rf"{_MONEY}[^。]{{0,60}}?{_PAID}",
            rf"{_PAID}[^。]{{0,60}}?{_MONEY}",
            rf"{_MONEY}\s?/\s?(?:1?[mk]\b|million|tokens?)",
            r"\b(?:you|they|cometapi|the provider|were|was|are|being|been|got"
            r"|get) (?:\w+ ){0,2}?(?:over|double-?)?(?:bill|charg)(?:ed|es?|ing)\b",
        ),
        (
            "You charge $0.15 per million tokens.",
            "The model costs 5 USD.",
            "Input is $3/M.",
            "We were charged for failed requests.",
        ),
        (
            "The price is $0.15 per million tokens (https://example.test/pricing).",
            "Orders worth 300 EUR were delayed.",
            "We billed no customer for the failed orders.",
            "Were we charged for these requests?",
            "We do not know whether we were billed.",
        ),
        excused=f"{excuses.SOURCED}|{excuses.NOT_CLAIMED}",
    ),
)

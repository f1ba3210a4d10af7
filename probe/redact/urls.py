"""The address of a request: its query keeps what is a part of the contract, and loses what anybody else wrote."""

from typing import Any, Final

import re2

from probe.records.sealed import TOKEN
from probe.redact.work import Work

_PARAMETER: Final = re2.compile(r"([?&;#])([^=&#?;]+)=([^&#]*)")
_KNOWN: Final = frozenset(
    (
        *(
            "api-version",
            "api_version",
            "version",
            "v",
            "model",
            "stream",
            "max_tokens",
            "limit",
            "offset",
            "page",
            "per_page",
        ),
        *(
            "order",
            "sort",
            "beta",
            "alt",
            "format",
            "lang",
            "locale",
            "sv",
            "se",
            "st",
            "sp",
            "sr",
            "spr",
            "timeout",
            "n",
        ),
        *("x-amz-algorithm", "x-amz-date", "x-amz-expires", "x-amz-signedheaders", "expires"),
    )
)
_PLAIN: Final = re2.compile(r"(?i)true|false|yes|no|on|off|[0-9]{1,6}|<[^<>]*>|")


def sealed_url(work: Work, place: str, url: str) -> str:
    url = work.text(place, url)

    def one(found: Any) -> str:
        sign, name, value = found.group(1), found.group(2), found.group(3)
        if name.lower() in _KNOWN or _PLAIN.fullmatch(value) or TOKEN.fullmatch(value):
            return str(found.group())
        return f"{sign}{name}={work.whole('query_value_not_known_safe', 'query_value', place, value)}"

    return str(_PARAMETER.sub(one, url))

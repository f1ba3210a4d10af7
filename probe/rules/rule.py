"""One row of the table, and the texts that a row may look at.

Places (all but `FAULT` are built by `probe.classify` from one reply, each cut to 64 KiB):

    FAULT   ``ConnectError: [Errno 111] Connection refused``    no HTTP answer, or one that broke off
    ANSWER  ``http json error:none choices:1 ...``              the facts of a 2xx answer's body, one line
    STATUS  ``503 html awselb/2.0``                             status, kind of body, server
    CODE    ``code: insufficient_quota`` a line each            code-like fields, wherever they stand in the body
    WORDS   the error's message texts
    TEXT    CODE, then WORDS
    PAGE    the text of an HTML page
    SHEET   STATUS, CODE, WORDS, PAGE: for a rule that needs several at once

Patterns are re2 (linear time), case-insensitive, ``^`` and ``$`` match at lines, ``.`` stays within its line. A pattern
of several lines hits where one of them does; each line is one idea and is shown by a hit of its own.
(A row is written with its head in one line, ``*(name, verdict, reason, place)``, so that the table can be skimmed.)
Values may have been redacted before they are judged: a rule rests on words, codes and structure, never on a secret.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Final

import re2

from probe.records import REASONS, Verdict

OK = Verdict.OK
MISMATCH = Verdict.CONTRACT_MISMATCH
DEGRADATION = Verdict.DEGRADATION
AUTH = Verdict.AUTH_OR_ACCOUNT
QUOTA = Verdict.QUOTA_OR_BILLING
OURS = Verdict.PROBE_FAULT

_EXCERPT_CHARS: Final = 200


class Place(StrEnum):
    FAULT = "fault"
    ANSWER = "answer"
    STATUS = "status"
    CODE = "code"
    WORDS = "words"
    TEXT = "text"
    PAGE = "page"
    SHEET = "sheet"


@dataclass(frozen=True, slots=True)
class Rule:
    """One row. `runner_up` is what a fair second engineer could choose instead; the rule is certain without one.

    `after` is what must stand somewhere before the words: a status at the beginning (``\\A4\\d\\d``), a code's line.
    """

    name: str
    verdict: Verdict
    reason: str
    where: Place
    pattern: str | tuple[str, ...]
    hits: tuple[str, ...]
    misses: tuple[str, ...]
    runner_up: Verdict | None = None
    after: str = ""

    def __post_init__(self) -> None:
        if not self.hits or not self.misses:
            raise ValueError(f"rule {self.name!r} needs examples: hits and near misses")
        if self.reason not in REASONS[self.verdict]:
            raise ValueError(f"rule {self.name!r}: reason {self.reason!r} is not one of {self.verdict}")
        if self.runner_up == self.verdict:
            raise ValueError(f"rule {self.name!r} is its own runner-up")

    @property
    def lines(self) -> tuple[str, ...]:
        return (self.pattern,) if isinstance(self.pattern, str) else self.pattern

    @property
    def certain(self) -> bool:
        return self.runner_up is None

    def compiled(self, *lines: str) -> Any:
        """These lines of the row as one program."""
        before = f"(?s:{self.after}.*?)" if self.after else ""
        return _program(f"(?im){before}(?P<words>{'|'.join(lines)})")

    def excerpt(self, text: str, shown: str | None = None) -> str | None:
        """The words that hit, with what stands around them (200 characters at most); None: no hit.

        Quoted is `shown`, where it is given: the same text, of the same length, with nothing blanked out.
        """
        program = self.compiled(*self.lines)
        match = program.search(text)
        if match is None:
            return None
        start, end = match.span(program.groupindex["words"])
        room = _EXCERPT_CHARS - min(end - start, _EXCERPT_CHARS)
        start = max(0, start - room // 2)
        return " ".join((shown or text)[start : start + _EXCERPT_CHARS].split())


@cache
def _program(pattern: str) -> Any:
    """Made when a text first needs it: while all is well no row does."""
    return re2.compile(pattern)

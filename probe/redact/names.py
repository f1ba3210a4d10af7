"""What the name of a field, header, parameter or label says of the value that stands under it."""

from functools import lru_cache
from typing import Final, Literal, NamedTuple

from probe.redact import vocabulary as words

Sort = Literal["", "id", "digest", "secret", "code", "personal", "weak", "prompt", "name"]


class Meaning(NamedTuple):
    """`secret` and `personal` values go; `code` ones go even where they are short numbers; `weak` ones go where they
    look like it; `prompt` ones go unless they are our own; `id` and `digest` ones may look like chance."""

    sort: Sort
    kind: str


_NOTHING: Final = Meaning("", "")
_LONGEST_NAME: Final = 80


@lru_cache(maxsize=4096)
def meaning(name: str) -> Meaning:
    """By the last words of the name, as people and programs write names: snake, kebab, camel, with spaces."""
    if len(name) > _LONGEST_NAME:
        return _NOTHING
    parts = split(name)
    if not parts:
        return _NOTHING
    last = parts[-1]
    before = parts[-2] if len(parts) > 1 else ""
    joined = "".join(parts)
    if last in ("hash", "sha256", "fingerprint") and before in ("password", "token", "key", "secret"):
        return Meaning("secret", "credential")
    if last in words.DIGESTS or joined in words.DIGESTS:
        return Meaning("digest", "")
    last = last.rstrip("0123456789") or last
    if last in words.CODES:
        return Meaning("code", "credential")
    if last in ("key", "keys"):
        if not before:
            return Meaning("weak", "credential")
        return Meaning("id", "") if before in words.NOT_A_SECRET_KEY else Meaning("secret", "credential")
    if last in words.SECRET or joined in words.SECRET or joined.endswith(words.SECRET_ENDINGS):
        return Meaning("secret", "credential")
    if last.endswith("key") and len(last) > 3 and last not in words.NO_KEYS:
        return Meaning("secret", "credential")
    if last == "seed" and before in words.KEY_SEEDS:
        return Meaning("secret", "credential")
    if last in ("id", "ids") and before == "key":
        return Meaning("secret", "credential")
    if "_".join(parts) in words.PROMPT_NAMES or last in words.PROMPTS:
        return Meaning("prompt", "prompt")
    if last in words.NUMBERED and before in words.SUBJECTS:
        return Meaning("personal", "account_id" if last in ("id", "ids", "uuid", "guid") else "customer_number")
    if _numbered_subject(last):
        return Meaning("personal", "customer_number")
    if last.endswith("name") and last[:-4] in words.NAME_OF:
        return Meaning("personal", "person")
    if joined in words.PERSONAL:
        return Meaning("personal", words.PERSONAL[joined])
    if last == "name" and before in words.THINGS:
        return _NOTHING
    if last == "name":
        return Meaning("personal", "person") if before in words.NAME_OF else Meaning("name", "person")
    if last in words.PERSONAL:
        return Meaning("personal", words.PERSONAL[last])
    if last in ("id", "ids", "traceid", "requestid") or joined in ("traceparent", "tracestate") or last in words.IDS:
        return Meaning("id", "request_id" if before == "request" or joined == "requestid" else "")
    if last == "by" and before in (
        "signed",
        "reported",
        "created",
        "approved",
        "assigned",
        "requested",
        "updated",
        "opened",
    ):
        return Meaning("personal", "person")
    if last in words.WEAK:
        return Meaning("weak", words.WEAK[last])
    if {"birth", "born", "dob"} & set(parts):
        return Meaning("personal", "birth_date")
    if parts[0] in words.ALWAYS:
        return Meaning("personal", words.ALWAYS[parts[0]])
    return _NOTHING


def _numbered_subject(word: str) -> bool:
    """customerno, passportnumber, userid: written together."""
    return any(
        word.endswith(end) and word[: -len(end)] in words.SUBJECTS for end in ("number", "nummer", "no", "nr", "id")
    )


def split(name: str) -> list[str]:
    """The words of a name in lower case."""
    out: list[str] = []
    word = ""
    kind = ""
    for sign in name:
        if not sign.isalnum():
            now = ""
        elif sign.isdigit():
            now = "d"
        elif sign.isupper():
            now = "u"
        else:
            now = "l"
        if now == kind or (now == "d" and word) or (kind == "u" and now == "l" and len(word) == 1):
            word += sign if now else ""
        elif kind == "u" and now == "l":
            out.append(word[:-1])
            word = word[-1] + sign
        else:
            if word:
                out.append(word)
            word = sign if now else ""
        kind = now if not (now == "d" and kind) else kind
    if word:
        out.append(word)
    return [each.lower() for each in out]

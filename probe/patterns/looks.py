"""What a short value looks like, where the words around it already say much."""

from typing import Final

import re2

_ORDINARY: Final = re2.compile(
    r"(?i)[0-9]{4}-[0-9]{2}-[0-9]{2}.*|[0-9.,:]+[a-z%]{0,3}|v?[0-9]+(?:\.[0-9]+)+\S*|[a-z]+://.*|/.*|.*\.(?:py"
    r"|js|ts|go|html|json)"
    r"|(?:gpt|claude|gemini|llama|qwen|deepseek|o[0-9]|mistral|glm|kimi|doubao|grok)[a-z0-9._/:-]*"
    r"|[a-z]+(?:[-_.][a-z]+)*"
    r"|[A-Z]+(?:_[A-Z]+)*|\$.*|.*\*\*.*|.*\.\.\..*"
)

_CHANGING: Final = re2.compile(r"^[^\s/]*(?:[a-z][A-Z][^\s/]*){3}$")


def numbered(text: str) -> bool:
    return any(sign.isdigit() for sign in text)


def secretive(text: str) -> bool:
    """Digits beside letters, and not a moment, a version, an address or a model's name."""
    plain = text.rstrip(".,;:!?)]'\"")
    if _CHANGING.search(plain):
        return True
    return (
        len(plain) >= 8 and numbered(plain) and any(sign.isalpha() for sign in plain) and not _ORDINARY.fullmatch(plain)
    )

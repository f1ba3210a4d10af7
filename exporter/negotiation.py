"""What the other side asked for: the quality values of an Accept or Accept-Encoding header (RFC 9110, 12.4.2)."""


def _entries(header: str) -> list[tuple[str, dict[str, str]]]:
    parsed = []
    for entry in header.split(","):
        name, *parameters = (part.strip() for part in entry.split(";"))
        pairs = (parameter.partition("=") for parameter in parameters)
        parsed.append((name.lower(), {key.strip().lower(): text.strip() for key, _, text in pairs}))
    return parsed


def _quality(parameters: dict[str, str]) -> float:
    try:
        return min(max(float(parameters.get("q", "1")), 0.0), 1.0)
    except ValueError:
        return 0.0


def media_quality(accept: str, media: str) -> float:
    """How welcome a media type is, by its own entry or else by a wildcard; an empty header welcomes everything."""
    if not accept.strip():
        return 1.0
    qualities: dict[str, float] = {}
    for name, parameters in _entries(accept):
        qualities[name] = max(qualities.get(name, 0.0), _quality(parameters))
    for name in (media, f"{media.partition('/')[0]}/*", "*/*"):
        if name in qualities:
            return qualities[name]
    return 0.0


def prefers_page(accept: str) -> bool:
    """A person's browser names text/html; a program takes anything or names JSON."""
    if not any(name == "text/html" for name, _ in _entries(accept)):
        return False
    page = media_quality(accept, "text/html")
    return page > 0 and page >= media_quality(accept, "application/json")


def prefers_openmetrics(accept: str) -> bool:
    """OpenMetrics only where its version 1.0.0 is named and classic text is not liked better."""
    named = [
        _quality(parameters)
        for name, parameters in _entries(accept)
        if name == "application/openmetrics-text" and parameters.get("version", "1.0.0") == "1.0.0"
    ]
    return max(named, default=0.0) > 0 and max(named) >= media_quality(accept, "text/plain")


def accepts_gzip(accept_encoding: str) -> bool:
    qualities = {name: _quality(parameters) for name, parameters in _entries(accept_encoding)}
    return qualities.get("gzip", qualities.get("*", 0.0)) > 0

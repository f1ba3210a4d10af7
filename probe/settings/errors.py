"""What is wrong with a configuration, in one line that names the setting and never shows a secret."""

from collections.abc import Sequence


class ConfigError(Exception):
    """One setting: ``targets[1].cadence: expected a duration such as 30s, found '30 parsecs'``."""

    def __init__(self, key: str, expected: str, found: str) -> None:
        super().__init__(f"{key}: expected {expected}, found {found}")
        self.key = key
        self.expected = expected
        self.found = found

    @property
    def errors(self) -> "tuple[ConfigError, ...]":
        return (self,)


class ConfigErrors(ConfigError):
    """Several settings at once, one a line."""

    def __init__(self, errors: Sequence[ConfigError]) -> None:
        super().__init__(errors[0].key, errors[0].expected, errors[0].found)
        self.args = ("\n".join(str(error) for error in errors),)
        self._errors = tuple(errors)

    @property
    def errors(self) -> tuple[ConfigError, ...]:
        return self._errors


def raise_all(errors: Sequence[ConfigError]) -> None:
    """Nothing where there are none."""
    if errors:
        raise together(errors)


def together(errors: Sequence[ConfigError]) -> ConfigError:
    """Of at least one; a repeated line is said once."""
    distinct = tuple({str(error): error for error in errors}.values())
    return ConfigErrors(distinct) if len(distinct) > 1 else distinct[0]

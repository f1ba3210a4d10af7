"""The one reader of YAML: plain data, strict, bounded. It says what is wrong on which line and never quotes a value."""

from typing import Any, Final

import yaml
from yaml.constructor import ConstructorError

from probe.contract.values import shown_key

FILE_LIMIT_BYTES: Final = 256 * 1024


class YamlError(ValueError):
    """The text is not the plain YAML that this program reads. `line` counts from 1."""

    def __init__(self, problem: str, line: int | None = None) -> None:
        super().__init__(problem if line is None else f"{problem} (line {line})")


class _StrictLoader(yaml.SafeLoader):
    """Plain data: a repeated key is an error, and so is an anchor (aliases let a small file grow without bound)."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise YamlError("anchors and aliases are not read: write the value out", event.start_mark.line + 1)
        return super().compose_node(parent, index)

    def construct_scalar(self, node: yaml.ScalarNode | yaml.MappingNode) -> Any:
        """An escape can write half of a character, which is no text that could be sent, stored or compared."""
        if isinstance(node, yaml.ScalarNode) and any("\ud800" <= sign <= "\udfff" for sign in node.value):
            raise YamlError("half of a character (a lone surrogate)", node.start_mark.line + 1)
        return super().construct_scalar(node)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str | int | float | bool | None):
                raise YamlError("a key must be plain text", key_node.start_mark.line + 1)
            if key in seen:
                raise YamlError(f"the key {shown_key(str(key))!r} stands twice", key_node.start_mark.line + 1)
            seen.add(key)
        return super().construct_mapping(node, deep)


def read_yaml(text: str) -> Any:
    """The one document in `text`. YamlError says what is wrong and on which line; it never quotes a value."""
    if len(text.encode(errors="replace")) > FILE_LIMIT_BYTES:
        raise YamlError(f"the file is larger than {FILE_LIMIT_BYTES // 1024} KiB")
    try:
        return yaml.load(text, _StrictLoader)  # noqa: S506 - a SafeLoader, only stricter
    except ConstructorError as error:
        raise YamlError("a tag or key that is not plain YAML", _line(error)) from None
    except yaml.MarkedYAMLError as error:
        raise YamlError(": ".join(filter(None, (error.context, error.problem))), _line(error)) from None
    except yaml.YAMLError:
        raise YamlError("holds a character that YAML does not allow") from None
    except RecursionError:
        raise YamlError("nested too deeply") from None
    except YamlError:
        raise
    except ValueError:  # PyYAML lets e.g. the 99th of a month fail in datetime
        raise YamlError("holds a date or number that does not exist") from None


def _line(error: yaml.MarkedYAMLError) -> int | None:
    mark = error.problem_mark or error.context_mark
    return None if mark is None else mark.line + 1

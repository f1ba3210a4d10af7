"""The small path language of contracts: which paths it knows, and what stands at them."""

import pytest

from probe.contract.paths import at, each, is_field_path, is_list_path


@pytest.mark.parametrize("path", ["data[].id", "[].id", "models[]", "a.b-c.d_1[].e.f"])
def test_a_list_path_has_one_list(path: str) -> None:
    assert is_list_path(path)
    assert not is_field_path(path)


@pytest.mark.parametrize(
    "path",
    ["", "data", "data[].x[].id", "data[0].id", "$.data[].id", "data[]id", ".data[].id", "data[].", "a..b[]", "[]["],
)
def test_what_is_no_list_path_is_none(path: str) -> None:
    assert not is_list_path(path)


@pytest.mark.parametrize(("path", "is_path"), [("a", True), ("a.b", True), ("", False), ("a.", False), ("a b", False)])
def test_a_field_path_is_names_between_dots(path: str, is_path: bool) -> None:
    assert is_field_path(path) is is_path


def test_what_stands_at_a_path() -> None:
    document = {"a": {"b": 1, "t": '{"c": 2}', "broken": "{", "list": "[3]"}}
    assert at(document, "a.b") == 1
    assert at(document, "") is document
    assert at(document, "a.b.c") is None
    assert at(document, "x.y") is None
    assert at(document, "a.t.c") is None, "text is text"
    assert at(document, "a.t.c", opens_text=True) == 2
    assert at(document, "a.broken.c", opens_text=True) is None
    assert at(document, "a.list.c", opens_text=True) is None


def test_each_element_of_a_list() -> None:
    assert each({"data": [{"id": "x"}, {}, 3]}, "data[].id") == ["x", None, None]
    assert each([{"id": "x"}], "[].id") == ["x"]
    assert each({"models": ["x", "y"]}, "models[]") == ["x", "y"]
    assert each({"data": {"id": "x"}}, "data[].id") is None
    assert each(None, "data[].id") is None

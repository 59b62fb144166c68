"""Settings over one another, and messages that a person can act on."""

from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from raysweep.errors import ConfigError
from raysweep.schema import Config, flatten, merge, nest, override, parse, parse_assignment


class Round(Config):
    kind: Literal["round"] = "round"
    radius: float = Field(default=1.0, gt=0)
    colour: str = "red"


class Square(Config):
    kind: Literal["square"] = "square"
    side: float = 1.0
    colour: str = "red"


class Drawing(Config):
    title: str = "untitled"
    shape: Annotated[Round | Square, Field(discriminator="kind")] = Round()


MERGES = [
    pytest.param({"a": 1}, {"b": 2}, {"a": 1, "b": 2}, id="both"),
    pytest.param({"a": 1}, {"a": 2}, {"a": 2}, id="the one above wins"),
    pytest.param({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}}, {"a": {"b": 3, "c": 2}}, id="nested"),
    pytest.param({"a": {"b": 1}}, {"a": 2}, {"a": 2}, id="a leaf over a branch"),
    pytest.param({"a": [1, 2]}, {"a": [3]}, {"a": [3]}, id="lists are leaves"),
    pytest.param(
        {"s": {"kind": "round", "radius": 2}},
        {"s": {"kind": "square"}},
        {"s": {"kind": "square"}},
        id="another kind clears the old one's settings",
    ),
    pytest.param(
        {"s": {"kind": "round", "radius": 2}},
        {"s": {"kind": "round", "colour": "blue"}},
        {"s": {"kind": "round", "radius": 2, "colour": "blue"}},
        id="the same kind keeps them",
    ),
]


@pytest.mark.parametrize(("below", "above", "expected"), MERGES)
def test_merge(below, above, expected) -> None:
    assert merge(below, above) == expected


def test_merge_leaves_its_arguments_alone() -> None:
    below = {"a": {"b": 1}}
    merge(below, {"a": {"b": 2}})
    override(below, {"a.b": 3, "a.c": 4})
    assert below == {"a": {"b": 1}}


OLD = {"shape": {"kind": "round", "radius": 2}}
OVERRIDES = [
    pytest.param({"title": "x"}, {**OLD, "title": "x"}, id="a leaf"),
    pytest.param({"shape.radius": 3}, {"shape": {"kind": "round", "radius": 3}}, id="a path"),
    pytest.param(
        {"shape.side": 4, "shape.kind": "square"},
        {"shape": {"kind": "square", "side": 4}},
        id="kind first, though written last",
    ),
    pytest.param(
        {"shape.edge.kind": "wavy", "shape.kind": "square"},
        {"shape": {"kind": "square", "edge": {"kind": "wavy"}}},
        id="an outer kind before an inner one",
    ),
    pytest.param(
        {"shape": {"kind": "square"}, "shape.side": 5},
        {"shape": {"kind": "square", "side": 5}},
        id="a branch, then a leaf of it",
    ),
]


@pytest.mark.parametrize(("changes", "expected"), OVERRIDES)
def test_override(changes, expected) -> None:
    assert override(OLD, changes) == expected
    assert override(OLD, dict(reversed(changes.items()))) == expected


NAMES = st.text("abc", min_size=1, max_size=3)
TREES = st.recursive(
    st.integers() | st.text(), lambda leaf: st.dictionaries(NAMES, leaf, min_size=1), max_leaves=8
).filter(lambda tree: isinstance(tree, dict))


@given(TREES)
def test_flatten_is_undone_by_override(tree) -> None:
    assert override({}, flatten(tree)) == tree


def test_nest() -> None:
    assert nest("a.b.c", 1) == {"a": {"b": {"c": 1}}}


ASSIGNMENTS = [
    ("loss.disc_start=100", ("loss.disc_start", 100)),
    ("loss.disc_start=0.5", ("loss.disc_start", 0.5)),
    ("data.source=/videos=old", ("data.source", "/videos=old")),
    ("model.ch_mult=[1, 2]", ("model.ch_mult", [1, 2])),
    ("loss.adaptive=false", ("loss.adaptive", False)),
    ("data.store=null", ("data.store", None)),
]


@pytest.mark.parametrize(("text", "expected"), ASSIGNMENTS)
def test_an_assignment_is_a_path_and_a_yaml_value(text, expected) -> None:
    assert parse_assignment(text) == expected


@pytest.mark.parametrize("text", ["loss.disc_start", "=3", "a=[1, 2", 'a="open'])
def test_what_is_no_assignment_is_refused_in_a_line(text) -> None:
    with pytest.raises(ConfigError, match="--set") as caught:
        parse_assignment(text)
    assert "\n" not in str(caught.value)


REFUSALS = [
    pytest.param({"titel": "x"}, "unknown setting 'titel'; did you mean 'title'?", id="misspelt"),
    pytest.param({"zzz": 1}, "unknown setting 'zzz'; known here: shape, title.", id="far off"),
    pytest.param(
        {"shape": {"kind": "square", "sied": 1}},
        "shape: unknown setting 'sied'; did you mean 'side'?",
        id="misspelt in a union",
    ),
    pytest.param(
        {"shape": {"kind": "round", "radius": -1}},
        "shape.radius: Input should be greater than 0, got -1.",
        id="out of range in a union",
    ),
    pytest.param(
        {"shape": {"kind": "oval"}},
        "shape.kind: Input should be one of 'round', 'square', got 'oval'.",
        id="no such kind",
    ),
    pytest.param(
        {"title": 3}, "title: Input should be a valid string, got 3.", id="of another type"
    ),
]


@pytest.mark.parametrize(("tree", "message"), REFUSALS)
def test_what_is_wrong_is_said_in_a_line(tree, message) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(Drawing, tree)
    assert str(caught.value) == message


def test_settings_never_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Drawing().title = "other"

"""Every space that comes with raysweep, sampled, and the mistakes that people make in their own."""

import ast
import inspect
import json
import pickle
import pkgutil
from pathlib import Path

import pytest

import search_spaces
from raysweep.config import SweepConfig
from raysweep.errors import ConfigError
from raysweep.experiment.draws import asked_of_some, check_space
from raysweep.schema import override, parse
from search_spaces import families, smoke

NAMES = [module.name for module in pkgutil.iter_modules(search_spaces.__path__)]


def module(name: str):
    return __import__(f"search_spaces.{name}", fromlist=["space"])


def sweep_of(name: str) -> SweepConfig:
    space = module(name)
    settings = {"name": name, "space": name, "base": getattr(space, "BASE", {})}
    return parse(SweepConfig, {**settings, **getattr(space, "SWEEP", {})})


@pytest.mark.parametrize("name", NAMES)
def test_fifty_samples_are_valid_and_hold_what_was_suggested(name):
    draws = check_space(sweep_of(name), module(name).space)
    assert len(draws) == 50
    for draw in draws:
        resolved = draw.config.model_dump(mode="json")
        assert override(resolved, draw.params) == resolved


@pytest.mark.parametrize("name", NAMES)
def test_samples_survive_the_event_log(name):
    for draw in check_space(sweep_of(name), module(name).space, samples=5):
        assert json.loads(json.dumps(draw.params)) == draw.params


@pytest.mark.parametrize("name", NAMES)
def test_a_space_asks_its_question_first_and_is_a_function_of_its_module(name):
    space = module(name)
    tree = ast.parse(Path(inspect.getfile(space)).read_text())
    question = (ast.get_docstring(tree) or "").splitlines()[0]
    assert "?" in question
    assert pickle.loads(pickle.dumps(space.space)) is space.space


def misspelt(trial):
    trial.suggest_float("loss.disc_wieght", 0.1, 1.0)


def out_of_range(trial):
    trial.suggest_int("data.batch_size", -3, -1)


def returns_unknown(trial):
    return {"training.stpes": 3}


def fails(trial):
    trial.suggest_float("loss.disc_weight", 0.0, 1.0, log=True)


def returns_text(trial):
    return "done"


def tuples(trial):
    trial.suggest_categorical("model.ch_mult", [(1, 2), (1, 2, 2)])


def paths(trial):
    return {"data.source": Path("videos")}


MISTAKES = [
    (misspelt, "did you mean 'disc_weight'?"),
    (out_of_range, "data.batch_size"),
    (returns_unknown, "did you mean 'steps'?"),
    (fails, "raised ValueError"),
    (returns_text, "raised TypeError"),
    (tuples, "Write tuples as lists"),
    (paths, "not JSON serializable"),
]


@pytest.mark.parametrize(
    ("space", "said"), MISTAKES, ids=lambda value: getattr(value, "__name__", "")
)
def test_a_mistake_in_a_space_is_named(space, said):
    sweep = parse(SweepConfig, {"name": "x", "space": "mine.py", "base": smoke.BASE})
    with pytest.raises(ConfigError, match=r"search space mine\.py") as error:
        check_space(sweep, space)
    assert said in str(error.value)


# pinned by hand, suggested -> what the run has
PINS = [
    ({"training.steps": 7}, {"training.steps": 9}, {"training.steps": 7}),
    ({}, {"training.steps": 9}, {"training.steps": 9}),
    (  # a pinned kind clears the base's quantizer, and not what is searched of it
        {"model.quantizer.kind": "gradient"},
        {"model.quantizer.codebook_size": 32},
        {"model.quantizer.kind": "gradient", "model.quantizer.codebook_size": 32},
    ),
    (  # an outer kind is laid before an inner one, in whichever order they are written
        {"model.quantizer.kind": "gradient", "model.kind": "taming_vqgan"},
        {},
        {"model.quantizer.kind": "gradient"},
    ),
]


@pytest.mark.parametrize("kind", ["taming_vqgan", "grouped", "hierarchical", "conv"])
def test_a_space_asks_what_goes_with_a_pinned_kind(kind):
    sweep = parse(
        SweepConfig,
        {"name": "x", "base": families.BASE, "pinned": {"model.kind": kind, "training.steps": 70}},
    )
    draws = check_space(sweep, families.space)
    assert {(draw.config.model.kind, draw.config.training.steps) for draw in draws} == {(kind, 70)}
    assert len({draw.config.model.quantizer.kind for draw in draws}) > 4


def test_a_pinned_value_that_the_space_does_not_hold_overrules_it():
    pinned = {"model.quantizer.codebook_size": 48}
    sweep = parse(SweepConfig, {"name": "x", "base": smoke.BASE, "pinned": pinned})
    sizes = {draw.config.model.quantizer.codebook_size for draw in check_space(sweep, smoke.space)}
    assert sizes == {48}


# pinned by hand -> what of it holds only for the kinds that have it
PINS_OF_KINDS = [
    ({"model.hidden": 16, "model.ch": 32, "seed": 3}, {"model.hidden", "model.ch"}),
    ({"model.quantizer.beta": 0.5, "model.quantizer.codebook_size": 64}, {"model.quantizer.beta"}),
    ({"model.kind": "grouped", "model.hidden": 16}, set()),
    ({"model.quantizer.revive_below": 1.0}, set()),  # never asked: refused where it is unknown
]


@pytest.mark.parametrize(("pinned", "expected"), PINS_OF_KINDS)
def test_a_pinned_setting_of_some_kinds_is_told_from_one_of_all(pinned, expected):
    assert asked_of_some(families.space, "families", pinned) == expected


def test_a_pinned_setting_that_hangs_on_no_kind_holds_for_all():
    def sometimes(trial):
        if trial.suggest_categorical("loss.disc_weight", [0.0, 0.5]):
            trial.suggest_int("loss.disc_every", 1, 3)

    assert asked_of_some(sometimes, "sometimes", {"loss.disc_every": 2}) == set()


def test_a_pinned_setting_of_some_kinds_holds_where_it_is_asked():
    pinned = {"model.hidden": 16, "model.num_res_blocks": 1}
    layers = {"base": families.BASE, "pinned_if_asked": pinned}
    models = [
        draw.config.model.model_dump()
        for draw in check_space(parse(SweepConfig, {"name": "x", **layers}), families.space)
    ]
    assert {model["kind"] for model in models} == set(families.FAMILIES)
    assert {model.get("hidden", 16) for model in models} == {16}
    assert {model.get("num_res_blocks", 1) for model in models} == {1}


@pytest.mark.parametrize(("pinned", "suggested", "expected"), PINS)
def test_what_is_set_by_hand_overrules_the_space_and_nothing_else(pinned, suggested, expected):
    sweep = parse(SweepConfig, {"name": "x", "base": smoke.BASE, "pinned": pinned})
    resolved = sweep.run(suggested).model_dump(mode="json")
    assert override(resolved, expected) == resolved


def test_a_trial_added_by_hand_overrules_what_was_pinned():
    sweep = parse(SweepConfig, {"name": "x", "base": smoke.BASE, "pinned": {"training.steps": 7}})
    assert sweep.run_by_hand({"training.steps": 9}).training.steps == 9
    assert sweep.run_by_hand({}).training.steps == 7

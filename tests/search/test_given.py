"""A space asked with given values takes what it could have suggested, and says what it could not."""

import optuna
import pytest

from raysweep.search.given import Unfit, answered


def space(trial: optuna.Trial):
    if trial.suggest_categorical("kind", ["ema", "fsq"]) == "ema":
        trial.suggest_float("decay", 0.9, 0.999)
    trial.suggest_float("rate", 1e-5, 1e-2, log=True)
    trial.suggest_int("stages", 2, 8, step=2)
    trial.suggest_categorical("ch_mult", [[1, 2], [1, 2, 4]])
    return {"double": 2 * trial.params["stages"]}


GIVEN = {"kind": "ema", "decay": 0.99, "rate": 1e-3, "stages": 4, "ch_mult": [1, 2]}


def test_it_takes_what_it_asks_for_and_nothing_else():
    assert answered(space, {**GIVEN, "other": 1}) == (GIVEN, {"double": 8})
    of_fsq = {name: value for name, value in GIVEN.items() if name != "decay"} | {"kind": "fsq"}
    assert answered(space, {**of_fsq, "decay": 7}).params == of_fsq


@pytest.mark.parametrize("value", [0.9, 0.999])
def test_bounds_are_inside(value):
    assert answered(space, {**GIVEN, "decay": value}).params["decay"] == value


# what is given instead -> the reason
UNFIT = [
    ({"kind": "lfq"}, "kind 'lfq' is none of 'ema', 'fsq'"),
    ({"decay": 0.8}, "decay 0.8 is outside 0.9 to 0.999"),
    ({"decay": float("nan")}, "decay nan is outside 0.9 to 0.999"),
    ({"rate": "1e-4"}, "rate '1e-4' is no number"),
    ({"rate": 0.0}, "rate 0.0 is outside 1e-05 to 0.01"),
    ({"stages": 3}, "stages 3 is outside 2 to 8 in steps of 2"),
    ({"ch_mult": [1, 4]}, "ch_mult [1, 4] is none of [1, 2], [1, 2, 4]"),
]


@pytest.mark.parametrize(("changes", "reason"), UNFIT)
def test_what_it_could_not_suggest_is_said(changes, reason):
    with pytest.raises(Unfit) as caught:
        answered(space, {**GIVEN, **changes})
    assert str(caught.value) == reason


def test_what_it_asks_for_and_nobody_gave_is_said():
    with pytest.raises(Unfit, match="decay is missing"):
        answered(space, {"kind": "ema"})

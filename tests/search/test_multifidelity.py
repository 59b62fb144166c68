"""Proposals by the model: better than chance, alike for equal histories, and never twice into a failure."""

import numpy as np
import optuna
import pytest

from raysweep.search.objective import Score
from raysweep.search.samplers import SamplerConfig
from raysweep.search.schedulers import Course
from raysweep.search.study import Study

MODELLED = SamplerConfig(kind="multifidelity", startup_trials=5)
RANDOM = SamplerConfig(kind="random")
LAST_STEP = 1000


def bowl(trial: optuna.Trial) -> None:
    for name in "ab":
        trial.suggest_float(name, 0, 1)
    trial.suggest_categorical("size", [256, 1024, 4096])


def quality(params: dict) -> float:
    return -sum((params[name] - 0.7) ** 2 for name in "ab") - (params["size"] != 1024)


def best_of(config: SamplerConfig, seed: int, trials: int = 20) -> float:
    study, best = Study(bowl, config, seed), -np.inf
    for number in range(trials):
        value = quality(study.propose(number).params)
        study.report(number, LAST_STEP, Score((value,)))
        study.tell(number, "complete")
        best = max(best, value)
    return best


@pytest.mark.parametrize("seed", range(3))
def test_a_bowl_is_descended_faster_than_by_chance(seed):
    assert best_of(MODELLED, seed) > best_of(RANDOM, seed, trials=100)


def halved(study: Study, trials: int) -> list[dict]:
    """Plays: the curve is late for a high `a`, and whoever has a bad `b` is stopped halfway."""
    asked = []
    for number in range(trials):
        params = study.propose(number).params
        study.enter(number, Course(LAST_STEP, None))
        asked.append(params)
        is_stopped = abs(params["b"] - 0.7) > 0.2
        for step in (250, 500) if is_stopped else (250, 500, LAST_STEP):
            study.report(
                number, step, Score((quality(params) - params["a"] * (1 - step / LAST_STEP),))
            )
        study.tell(number, "pruned" if is_stopped else "complete")
    return asked


def test_stopped_trials_count_for_what_they_would_have_come_to():
    asked = halved(Study(bowl, MODELLED, 0), 25)
    late = [quality(params) for params in asked[-10:]]
    assert max(late) > -0.01
    assert np.median(late) > np.median([quality(params) for params in asked[:10]])


def test_equal_histories_give_equal_proposals():
    assert halved(Study(bowl, MODELLED, 3), 9) == halved(Study(bowl, MODELLED, 3), 9)


def test_where_all_failed_draws_are_random():
    study = Study(bowl, MODELLED, 0)
    for number in range(2 * MODELLED.startup_trials):
        study.propose(number)
        study.report(number, 250, Score((0.0,)))
        study.tell(number, "failed")
    assert study.propose(100).params


def test_trials_that_run_at_once_look_in_different_places():
    study = Study(bowl, MODELLED, 0)
    halved(study, 8)
    points = [study.propose(number).params for number in range(8, 12)]
    assert len({(round(one["a"], 2), round(one["b"], 2), one["size"]) for one in points}) > 2


def test_failures_are_avoided():
    """The higher `a` the better, but beyond 0.8 nothing survives."""
    study, failed = Study(bowl, MODELLED, 0), []
    for number in range(25):
        params = study.propose(number).params
        failed.append(params["a"] > 0.8)
        if not failed[-1]:
            study.report(number, LAST_STEP, Score((params["a"],)))
        study.tell(number, "failed" if failed[-1] else "complete")
    assert sum(failed[5:15]) > 0
    assert sum(failed[15:]) <= 5


def by_kind(trial: optuna.Trial) -> None:
    if trial.suggest_categorical("kind", ["ema", "fsq"]) == "ema":
        trial.suggest_float("decay", 0.9, 0.999)
        if trial.suggest_categorical("resets", [True, False]):
            trial.suggest_int("every", 10, 1000, log=True)
    else:
        trial.suggest_int("levels", 3, 9, step=2)


def test_conditional_settings_are_learnt():
    """The best is one that few random trials have: resets every hundred steps."""
    study = Study(by_kind, MODELLED, 1)
    for number in range(25):
        params = study.propose(number).params
        away = abs(np.log10(params["every"]) - 2) if "every" in params else 2
        study.report(number, LAST_STEP, Score((-away,)))
        study.tell(number, "complete")
    assert abs(np.log10(params["every"]) - 2) < 0.2


def test_of_a_long_history_the_best_are_remembered():
    study = Study(bowl, MODELLED, 0)
    for number in range(700):
        known = {"a": number / 700, "b": number % 7 / 7, "size": 256 * 4 ** (number % 3)}
        params = study.propose(number, known).params
        study.report(number, LAST_STEP, Score((quality(params),)))
        study.tell(number, "complete")
    assert quality(study.propose(700).params) > -0.02

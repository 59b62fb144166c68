"""The study is a function of its history: nothing of it needs saving."""

import optuna
import pytest
from optuna.trial import TrialState

from raysweep.search.objective import Score
from raysweep.search.study import SamplerConfig, Study


def space(trial: optuna.Trial):
    size = trial.suggest_categorical("size", [64, 128])
    if size == 128:
        trial.suggest_float("decay", 0.9, 0.999)
    trial.suggest_float("rate", 1e-5, 1e-2, log=True)
    return {"size_again": size}


KINDS = [SamplerConfig(kind="tpe", startup_trials=3), SamplerConfig(kind="random")]


def play(study: Study, trials: int, known: list | None = None) -> list:
    """Proposes trials, of which every third is stopped and every fifth fails; `known` are replayed."""
    proposals = []
    for number in range(trials):
        params = known[number][0] if known and number < len(known) else None
        proposals.append(study.propose(number, params))
        if number % 5 == 4:
            study.tell(number, "failed")
            continue
        for step in (10, 20):
            study.report(number, step, Score((proposals[-1][0]["rate"] * step,)))
        study.tell(number, "pruned" if number % 3 == 2 else "complete")
    return proposals


@pytest.mark.parametrize("config", KINDS, ids=lambda config: config.kind)
def test_the_same_history_gives_the_same_proposal(config):
    assert play(Study(space, config, 7), 12) == play(Study(space, config, 7), 12)


@pytest.mark.parametrize("config", KINDS, ids=lambda config: config.kind)
def test_another_seed_gives_others(config):
    assert play(Study(space, config, 7), 3) != play(Study(space, config, 8), 3)


@pytest.mark.parametrize("config", KINDS, ids=lambda config: config.kind)
@pytest.mark.parametrize("cut", [0, 1, 5, 9])
def test_a_study_replayed_up_to_any_trial_goes_on_alike(config, cut):
    live = play(Study(space, config, 7), 12)
    assert play(Study(space, config, 7), 12, known=live[:cut]) == live


def test_a_replayed_study_holds_the_same_trials():
    live = Study(space, KINDS[0], 7)
    proposals = play(live, 12)
    again = Study(space, KINDS[0], 7)
    play(again, 12, known=proposals)

    def told(study: Study):
        return [(t.state, t.value, t.params, t.intermediate_values) for t in study.study.trials]

    assert told(again) == told(live)


# what is reported, what is told -> state and value in the study
ENDS = [
    ({10: 1.0, 20: 3.0}, "complete", TrialState.COMPLETE, 3.0),
    ({20: 3.0, 10: 1.0}, "complete", TrialState.COMPLETE, 3.0),
    ({10: 1.0, 20: 3.0}, "pruned", TrialState.PRUNED, 3.0),
    ({10: 1.0}, "failed", TrialState.FAIL, None),
    ({}, "failed", TrialState.FAIL, None),
    ({}, "complete", TrialState.FAIL, None),
    ({}, "pruned", TrialState.FAIL, None),
]


@pytest.mark.parametrize(("scores", "outcome", "state", "value"), ENDS)
def test_an_end_is_told_as_what_it_was(scores, outcome, state, value):
    study = Study(space, KINDS[0], 0)
    study.propose(0)
    for step, score in scores.items():
        study.report(0, step, Score((score,)))
    study.tell(0, outcome)
    (trial,) = study.study.trials
    assert (trial.state, trial.value, trial.intermediate_values) == (state, value, scores)


def test_no_trial_is_left_running():
    study = Study(space, KINDS[0], 0)
    play(study, 12)
    assert all(trial.state.is_finished() for trial in study.study.trials)


def test_settings_hold_what_was_suggested_and_what_was_returned():
    params, settings = Study(space, KINDS[0], 0).propose(0)
    assert settings == {**params, "size_again": params["size"]}
    assert "size_again" not in params


def test_a_pinned_setting_is_told_with_the_value_that_it_has():
    study = Study(lambda trial: {"a": trial.suggest_int("b", 1, 9)}, SamplerConfig(), 0, {"b": 20})
    assert study.propose(0)[1] == {"a": 20, "b": 20}


def test_numbers_may_have_gaps_where_trials_were_added_by_hand():
    study = Study(space, KINDS[0], 0)
    for number in (0, 3, 4):
        study.propose(number)
        study.report(number, 10, Score((1.0,)))
        study.tell(number, "complete")
    assert [trial.state for trial in study.study.trials] == [TrialState.COMPLETE] * 3


def test_a_space_may_return_nothing_and_choose_among_lists():
    def terse(trial: optuna.Trial) -> None:
        trial.suggest_categorical("ch_mult", [[1, 2], [1, 2, 4]])

    params, settings = Study(terse, KINDS[0], 0).propose(0)
    assert settings == params
    assert Study(terse, KINDS[0], 0).propose(0, params) == (params, settings)

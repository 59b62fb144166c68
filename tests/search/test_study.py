"""The study is a function of its history: nothing of it needs saving."""

import optuna
import pytest
from optuna.trial import TrialState

from raysweep.errors import ConfigError
from raysweep.search.objective import Score
from raysweep.search.samplers import SamplerConfig
from raysweep.search.study import Study


def space(trial: optuna.Trial):
    size = trial.suggest_categorical("size", [64, 128])
    if size == 128:
        trial.suggest_float("decay", 0.9, 0.999)
    trial.suggest_float("rate", 1e-5, 1e-2, log=True)
    return {"size_again": size}


SETTINGS = {"startup_trials": 3, "population": 3}
KINDS = [
    SamplerConfig(kind=kind, **SETTINGS)
    for kind in ("tpe", "random", "gp", "nsga2", "cmaes", "multifidelity")
]
EACH_KIND = pytest.mark.parametrize("config", KINDS, ids=lambda config: config.kind)


def play(study: Study, trials: int, known: list | None = None) -> list:
    """Proposes trials, three at a time, of which every third is stopped and every fifth fails; `known` are replayed."""
    proposals = []
    for number in range(trials):
        params = known[number][0] if known and number < len(known) else None
        proposals.append(study.propose(number, params))
        if number >= 2:
            end(study, number - 2, proposals[number - 2].params["rate"])
    return proposals


def end(study: Study, number: int, quality: float) -> None:
    if number % 5 == 4:
        study.tell(number, "failed")
        return
    for step in (10, 20):
        values = (quality * step, -float(number % 3))[: study.values]
        study.report(number, step, Score(values, violation=number % 2))
    study.tell(number, "pruned" if number % 3 == 2 else "complete")


def study_of(config: SamplerConfig, seed: int = 7, values: int = 1) -> Study:
    return Study(space, config, seed, values=values, is_constrained=True)


@EACH_KIND
def test_another_seed_gives_others(config):
    assert play(study_of(config), 3) != play(study_of(config, 8), 3)


# a sampler and how many values its scores have
TOLD = [
    (kind, values)
    for kind in KINDS
    for values in (1, 2)
    if values == 1 or kind.kind not in ("multifidelity", "cmaes")
]


@pytest.mark.parametrize(("config", "values"), TOLD, ids=lambda it: getattr(it, "kind", it))
def test_a_study_replayed_up_to_any_trial_goes_on_alike(config, values):
    trials, cuts = (8, [5]) if config.kind == "gp" else (16, [0, 1, 5, 9, 14])  # gp is slow
    live = play(study_of(config, values=values), trials)
    for cut in cuts:
        assert play(study_of(config, values=values), trials, known=live[:cut]) == live


@pytest.mark.parametrize("kind", ["multifidelity", "tpe", "gp", "nsga2"])
def test_a_model_leaves_the_random_draws(kind):
    modelled = play(study_of(SamplerConfig(kind=kind, **SETTINGS)), 8)
    drawn = play(study_of(SamplerConfig(kind="random")), 8)
    assert modelled[:2] == drawn[:2]
    assert modelled != drawn


def test_one_value_is_asked_for_where_the_sampler_takes_no_more():
    with pytest.raises(
        ConfigError, match="cmaes ranks trials by one value, and the objective has 2"
    ):
        study_of(SamplerConfig(kind="cmaes"), values=2)


@pytest.mark.parametrize(("kind", "known"), [("tpe", {"violation": 0.25}), ("cmaes", {})])
@pytest.mark.parametrize("outcome", ["complete", "pruned"])
def test_a_sampler_that_heeds_constraints_is_told_the_violation(kind, known, outcome):
    study = study_of(SamplerConfig(kind=kind))
    study.propose(0)
    study.report(0, 10, Score((1.0,), 0.25))
    study.tell(0, outcome)
    assert study.trial(0).constraints == known


# -- settings that were tried -------------------------------------------------------------------------


def few(trial: optuna.Trial):
    """Nine settings: five of the one kind and four of the other."""
    if trial.suggest_categorical("kind", ["fsq", "ema"]) == "fsq":
        trial.suggest_int("levels", 3, 11, step=2)
    else:
        trial.suggest_float("decay", 0.1, 0.2, step=0.1)
        trial.suggest_categorical("widths", [[1, 2], [1, 2, 4]])


@pytest.mark.parametrize("kind", ["multifidelity", "tpe", "random", "grid", "gp", "nsga2", "cmaes"])
def test_every_setting_of_a_small_space_is_proposed_once(kind):
    config = SamplerConfig(kind=kind, **SETTINGS)
    study = Study(few, config, 3)
    proposals = []
    while (suggestion := study.propose(len(proposals))) is not None:
        study.report(len(proposals), 10, Score((float(len(proposals)),)))
        study.tell(len(proposals), "complete")
        proposals.append(suggestion)
    assert study.is_exhausted
    assert len({str(sorted(params.items())) for params, _ in proposals}) == len(proposals) == 9


@pytest.mark.parametrize("kind", ["multifidelity", "tpe", "grid", "nsga2"])
def test_redraws_replay_exactly(kind):
    def propose(known: list) -> list:
        study, proposals = Study(few, SamplerConfig(kind=kind, **SETTINGS), 3), []
        for number in range(9):
            params = known[number].params if number < len(known) else None
            proposals.append(study.propose(number, params))
            study.tell(number, "failed")
        return proposals

    live = propose([])
    for cut in range(9):
        assert propose(live[:cut]) == live


def test_a_pinned_setting_tells_no_trials_apart():
    study = Study(few, SamplerConfig(kind="grid"), 0, {"kind": "fsq", "levels": 7})
    assert study.propose(0).settings == {"kind": "fsq", "levels": 7}
    assert study.propose(1) is None


def test_what_has_one_value_is_not_modelled():
    def space(trial: optuna.Trial):
        trial.suggest_float("fixed", 0.5, 0.5)
        trial.suggest_float("free", 0, 1)

    study = Study(space, KINDS[0], 0)
    for number in range(6):
        assert study.propose(number).params["fixed"] == 0.5
        study.report(number, 1, Score((1.0,)))
        study.tell(number, "complete")


CONTINUOUS = [
    (lambda trial: trial.suggest_float("rate", 0, 1), "rate has FloatDistribution"),
    (lambda trial: trial.suggest_int("steps", 0, 10_000), "steps has IntDistribution"),
]


@pytest.mark.parametrize(("ask", "told"), CONTINUOUS)
def test_a_grid_takes_no_continuum(ask, told):
    study = Study(lambda trial: {"seen": ask(trial)}, SamplerConfig(kind="grid"), 0)
    with pytest.raises(ConfigError, match=told):
        study.propose(0)


# -- what the study is told ---------------------------------------------------------------------------


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
    for number in (10, 11):
        study.tell(number, "failed")
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

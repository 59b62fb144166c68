"""What a search takes over from an earlier one: trials that it would have run itself, and nothing else."""

import math
from pathlib import Path

import pytest
from optuna.trial import TrialState

from raysweep.config import SweepConfig
from raysweep.experiment.earlier import Known, Search, learn
from raysweep.experiment.events import read
from raysweep.experiment.records import Records, TrialRecord, replay
from raysweep.search.objective import Goal, Objective
from search_spaces import smoke
from tests.fakes import PSNR, driver, execute, known, small_sweep

SIZE, START, WEIGHT = "model.quantizer.codebook_size", "loss.disc_start", "loss.disc_weight"
PARAMS = {SIZE: 64, START: 7, WEIGHT: 0.5}
REPORTS = {5: {"val/psnr": 1.0, "val/ssim": 0.1}, 20: {"val/psnr": 3.0, "val/ssim": 0.2}}


def trial(changes: dict | None = None, **fields) -> TrialRecord:
    params = {**PARAMS, **(changes or {})}
    usual = {"origin": "space", "params": params, "settings": params, "state": "finished"}
    return TrialRecord("0000", **{**usual, "reports": REPORTS, **fields})


def search(space=smoke.space, objective: Objective = PSNR, **settings) -> Search:
    return Search(small_sweep(**settings), space, objective, lambda run: run)


def learnt(new: Search, record: TrialRecord, then: SweepConfig | None = None):
    return learn(new, then or small_sweep(), {"0000": record}, "runs/first")


def test_a_trial_is_known_by_its_params_and_the_new_objective():
    ssim = search(objective=Objective((Goal("val/ssim", "max"),)))
    (one,) = learnt(ssim, trial()).known
    scores = {5: {"val/ssim": 0.1}, 20: {"val/ssim": 0.2}}
    assert one == Known("runs/first/0000", PARAMS, scores, "complete")


# state, and how long the new runs are -> outcome
OUTCOMES = [
    ("finished", 20, "complete"),
    ("finished", 10, "complete"),
    ("finished", 40, "pruned"),
    ("stopped", 20, "pruned"),
    ("paused", 20, "pruned"),
]


@pytest.mark.parametrize(("state", "steps", "outcome"), OUTCOMES)
def test_a_trial_is_complete_if_it_trained_as_long_as_the_new_ones(state, steps, outcome):
    new = search(base={"training": {"steps": steps}})
    assert learnt(new, trial(state=state)).known[0].outcome == outcome


UNFIT = [
    ({}, {"state": "failed"}, "it is failed"),
    ({}, {"state": "diverged"}, "it is diverged"),
    ({}, {"state": "running"}, "it is running"),
    ({}, {"reports": {}}, "no finite val/psnr"),
    ({}, {"reports": {5: {"val/psnr": math.nan}}}, "no finite val/psnr"),
    ({WEIGHT: 3.0}, {}, "loss.disc_weight 3.0 is outside 0.1 to 1"),
    ({SIZE: 256}, {}, "model.quantizer.codebook_size 256 is none of 32, 64, 128"),
    ({"training.learning_rate": 0.5}, {}, "training.learning_rate was 0.5 there and is 0.001 here"),
    ({"loss.disc_weight": -1}, {}, "loss.disc_weight: Input should be greater"),
]


@pytest.mark.parametrize(("changes", "fields", "reason"), UNFIT)
def test_what_is_of_no_use_is_said(changes, fields, reason):
    found = learnt(search(), trial(changes, **fields))
    assert found.known == []
    assert reason in found.unfit["0000"]


def test_a_setting_that_was_searched_and_is_the_same_now_does_not_matter():
    assert learnt(search(), trial({"training.learning_rate": 1e-3})).known[0].params == PARAMS


def test_a_setting_that_is_searched_now_has_the_value_it_had():
    def wider(trial):
        smoke.space(trial)
        trial.suggest_float("training.learning_rate", 1e-4, 1e-2)

    (one,) = learnt(search(wider), trial()).known
    assert one.params == {**PARAMS, "training.learning_rate": 1e-3}


def test_a_setting_that_is_pinned_now_must_have_had_that_value():
    assert learnt(search(pinned={WEIGHT: 0.5}), trial()).known
    assert learnt(search(pinned={WEIGHT: 0.25}), trial()).known == []


def test_a_trial_that_was_added_by_hand_is_none_of_the_search():
    assert learnt(search(), trial(origin="by hand")) == ([], {})


@pytest.fixture
def first(tmp_path) -> Records:
    path = tmp_path / "first.jsonl"
    with driver(path) as mind:
        execute(mind, at_once=6)
    return replay(read(path))


def test_a_study_starts_with_what_is_known_and_a_replay_needs_no_other_folder(first, tmp_path):
    path = tmp_path / "second.jsonl"
    sweep = small_sweep(seed=1, sampler={"startup_trials": 6})
    found = learn(search(seed=1), small_sweep(), first, "runs/first")
    assert len(found.known) == 6
    with driver(path, sweep) as mind:
        for each in found.known:
            mind.know(each)
        assert mind.trials == {}
        states = [each.state for each in mind.study.study.trials]
        assert states.count(TrialState.COMPLETE) == sum(
            record.state == "finished" for record in first.values()
        )
        assert [each.params for each in mind.study.study.trials] == [k.params for k in found.known]
        execute(mind)
        live = known(mind)
    with driver(path, sweep) as again:
        assert known(again) == live
        for each in found.known:  # a driver that was killed tells it again
            again.know(each)
    events = [event["kind"] for event in read(path)]
    assert events[:6] == ["known"] * 6
    assert events.count("known") == 6
    assert list(replay(read(path))) == list(mind.trials) == [f"{n:04d}" for n in range(6)]


def test_what_is_known_is_learnt_from(first, tmp_path):
    """The first proposal is a modelled one."""

    def proposal(path: Path, is_told: bool) -> dict[str, object]:
        with driver(path, small_sweep(sampler={"startup_trials": 6})) as mind:
            for each in learn(search(), small_sweep(), first, "first").known if is_told else ():
                mind.know(each)
            mind.propose()
            return mind.trials["0000"].params

    warm, cold = (proposal(tmp_path / f"{told}.jsonl", told) for told in (True, False))
    assert warm != cold

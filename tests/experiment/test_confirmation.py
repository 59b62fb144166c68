"""Finalists: who they are, with which seeds, and that a replay of their trials is exact."""

from pathlib import Path

import pytest

from raysweep.config import SweepConfig
from raysweep.experiment.conductor import Conductor, Proposal
from raysweep.experiment.confirmation import finalists, left_to_confirm
from raysweep.experiment.events import read
from raysweep.experiment.records import TrialRecord, confirming
from raysweep.search.objective import Constraint, Goal, Objective
from search_spaces import smoke
from tests.experiment.played import cuts
from tests.fakes import PSNR, STEPS, driver, execute, known, small_sweep

CONFIRM = {"confirm": {"top": 2, "seeds": 3}}
GOALS = (Goal("val/psnr", "max"), Goal("val/lpips", "min"))


def record(trial: str, origin: str = "space", **settings) -> TrialRecord:
    return TrialRecord(trial, origin, {}, settings, "finished")


def scored(*rows: tuple[str, str, float, float]) -> dict[str, TrialRecord]:
    """Trial, origin, PSNR and LPIPS."""
    trials = {}
    for trial, origin, psnr, lpips in rows:
        trials[trial] = record(trial, origin)
        trials[trial].reports = {5: {"val/psnr": psnr, "val/lpips": lpips}}
    return trials


TRIALS = scored(
    ("0000", "space", 20, 0.3),
    ("0001", "space", 25, 0.4),
    ("0002", "by hand", 24, 0.2),
    ("0003", "from 0001", 30, 0.1),
    ("0004", "confirm 0001", 31, 0.1),
    ("0005", "space", 10, 0.9),
) | {"0006": record("0006")}

# by what trials are ranked, and how many are wanted -> finalists
CHOICES = [
    (PSNR, 2, ["0001", "0002"]),
    (PSNR, 9, ["0001", "0002", "0000", "0005"]),
    (Objective(GOALS[1:]), 1, ["0002"]),
    (Objective(GOALS), 9, ["0001", "0002"]),
    (Objective(GOALS), 1, ["0001"]),
    (Objective(GOALS, (1.0, 100.0)), 2, ["0002", "0000"]),
    (Objective(GOALS[:1], (), (Constraint("val/lpips", 0.35, False),)), 9, ["0002", "0000"]),
    (Objective(GOALS, (), (Constraint("val/lpips", 0.01, False),)), 9, []),
]


@pytest.mark.parametrize(("objective", "top", "expected"), CHOICES)
def test_finalists_are_the_best_that_the_search_found(objective, top, expected):
    assert [record.trial for record in finalists(TRIALS, objective, top)] == expected


def test_every_confirmation_has_a_seed_that_nothing_used():
    trials = TRIALS | {"0007": record("0007", seed=40), "0008": record("0008", "by hand", seed=7)}
    entries = left_to_confirm(small_sweep(pinned={"seed": 3}, **CONFIRM), trials, PSNR)
    assert [entry.origin for entry in entries] == ["confirm 0001"] * 2 + ["confirm 0002"] * 3
    assert [entry.settings["seed"] for entry in entries] == [41, 42, 43, 44, 45]


def test_a_finalist_runs_with_what_it_ran_with_but_the_seed():
    pinned = {"training.steps": 15, "loss.disc_weight": 0.5}
    sweep = small_sweep(pinned=pinned, **CONFIRM)
    found = record("0000", **{"training.epochs": 3, "loss.disc_weight": 0.5, "loss.disc_start": 9})
    found.reports = {5: {"val/psnr": 1.0}}
    entry, *_ = left_to_confirm(sweep, {"0000": found}, PSNR)
    ran, again = sweep.run(found.settings), sweep.run_by_hand(entry.settings)
    assert again == ran.model_copy(update={"seed": 1})


def test_without_the_setting_nothing_is_confirmed(conductor, tmp_path):
    mind = conductor(tmp_path / "events.jsonl")
    execute(mind)
    assert mind.is_over
    assert not any(record.confirms for record in mind.trials.values())


# -- in the conductor


def sweep() -> SweepConfig:
    return small_sweep(**CONFIRM)


def formula(proposal: Proposal, step: int) -> dict[str, float]:
    """Seeds matter a little."""
    return {"val/psnr": step * proposal.config.loss.disc_weight + 0.001 * proposal.config.seed}


@pytest.mark.parametrize("at_once", [1, 3])
def test_confirmation_follows_the_search_outside_budget_and_study(conductor, tmp_path, at_once):
    mind = conductor(tmp_path / "events.jsonl", sweep())
    started = execute(mind, formula, at_once)
    finals = [record for record in mind.trials.values() if record.confirms]
    assert mind.is_over
    assert started == sorted(started)
    assert [record.trial for record in finals] == started[6:]
    assert len(finals) == 6
    assert {tuple(record.reports) for record in finals} == {STEPS}  # none was stopped
    assert len({record.settings["seed"] for record in finals}) == 6
    assert all(record.tested["test/psnr"] > 0 for record in finals)
    assert not any(r.tested for r in mind.trials.values() if r.confirms is None)
    assert len(mind.study.study.trials) == 6


def test_a_diverged_finalist_is_not_tested_and_not_repeated(conductor, tmp_path):
    mind = conductor(tmp_path / "events.jsonl", sweep())

    def diverges(proposal: Proposal, step: int) -> dict[str, float]:
        is_first = proposal.is_tested and proposal.trial == "0006"
        return {"diverged": 5.0} if is_first else formula(proposal, step)

    execute(mind, diverges)
    assert len(mind.trials) == 12
    assert (mind.trials["0006"].state, mind.trials["0006"].tested) == ("diverged", {})


def test_a_test_counts_once(conductor, tmp_path):
    mind = conductor(tmp_path / "events.jsonl", sweep())
    trial = mind.propose().trial
    for psnr in (1.0, 2.0):
        mind.tested(trial, 20, {"test/psnr": psnr})
    assert mind.trials[trial].tested == {"test/psnr": 1.0}


def test_what_is_trained_again_later_confirms_nothing_more(conductor, tmp_path):
    mind = conductor(tmp_path / "events.jsonl", sweep())
    execute(mind, formula)
    mind.add({"loss.disc_weight": 90.0}, "from 0000")
    assert execute(mind, formula) == ["0012"]


def test_finalists_that_go_on_are_confirmed_anew_as_long_as_they_ran(conductor, tmp_path):
    with driver(tmp_path / "events.jsonl", SHORT) as mind:
        execute(mind, formula)
    before = set(mind.trials)
    ran = {}

    def noted(proposal: Proposal, step: int) -> dict[str, float]:
        ran[proposal.trial] = proposal.config
        return formula(proposal, step)

    with driver(tmp_path / "events.jsonl", SHORT) as mind:
        mind.extend(SHORT.budget, last_step=40)
        execute(mind, noted)
    went_on = before & set(ran)
    seeds = confirming(mind.trials.values())
    assert went_on
    assert went_on <= set(seeds)
    assert {len(finals) for finals in seeds.values()} == {2}
    for trial in went_on:
        for final in seeds[trial]:
            seed = final.settings["seed"]
            assert ran[final.trial] == ran[trial].model_copy(update={"seed": seed})


def test_a_finalist_that_did_not_go_on_is_confirmed_as_long_as_it_ran():
    trials = scored(("0000", "space", 20, 0.3))
    trials["0000"].settings["loss.disc_start"] = 0.5
    trials["0000"].begun_steps = trials["0000"].last_step = 20
    sweep = small_sweep(**CONFIRM)
    entry, *_ = left_to_confirm(sweep.extended(sweep.budget, 40), trials, PSNR)
    assert entry.settings == {"training.steps": 20, "loss.disc_start": 0.5, "seed": 1}


def test_a_driver_killed_anywhere_confirms_the_rest_and_nothing_twice(conductor, tmp_path):
    path = tmp_path / "events.jsonl"
    with driver(path, SHORT) as live:
        execute(live, formula)
    log, expected = path.read_bytes(), known(live)[0]
    first = next(i for i, event in enumerate(read(path)) if event["trial"] == "0002")
    since = sum(len(line) for line in log.splitlines(keepends=True)[:first])
    for cut in (cut for cut in cuts(log) if cut >= since):
        assert outcome_after(log[:cut], tmp_path / f"{cut}.jsonl") == expected


SHORT = small_sweep(budget={"trials": 3}, confirm={"top": 2, "seeds": 2})


def outcome_after(log: bytes, path: Path) -> object:
    path.write_bytes(log)
    with driver(path, SHORT) as mind:
        execute(mind, formula)
        replayed = Conductor(SHORT, smoke.space, PSNR, mind.log, read(path))
        assert known(replayed) == known(mind)
        assert mind.is_over
        return known(mind)[0]

"""The conductor where several goals or constraints rank: what it decides, and that a replay of it is it."""

import pytest

from raysweep.experiment.conductor import Proposal
from raysweep.search.objective import Constraint, Goal, Objective
from raysweep.search.ranking import ranks
from tests.experiment.played import check_complete, cuts, states
from tests.fakes import execute, known, small_sweep

TWO_GOALS = (Goal("val/psnr", "max"), Goal("val/lpips", "min"))
USAGE = Constraint("val/code_usage", 0.5, is_minimum=True)
JUDGES = [
    pytest.param(Objective(TWO_GOALS), id="two"),
    pytest.param(Objective(TWO_GOALS, constraints=(USAGE,)), id="two-bound"),
    pytest.param(Objective(TWO_GOALS, (1.0, 20.0), (USAGE,)), id="weighted-bound"),
    pytest.param(Objective(TWO_GOALS[:1], constraints=(USAGE,)), id="one-bound"),
]


def traded(proposal: Proposal, step: int) -> dict[str, float]:
    """What one metric gains the other loses, at a cost of its own; each second trial leaves codes unused."""
    number, weight = int(proposal.trial), proposal.config.loss.disc_weight
    loss = 0.1 * (number % 3)
    return {
        "val/psnr": step * (1 + weight) - loss,
        "val/lpips": weight + loss,
        "val/code_usage": 0.25 if number % 2 else 0.75,
    }


@pytest.mark.parametrize("objective", JUDGES)
def test_it_is_decided_and_replayed_by_all_that_ranks(conductor, path, objective):
    sweep = small_sweep(budget={"trials": 9}, sampler={"startup_trials": 3})
    mind = conductor(path, sweep, objective=objective)
    execute(mind, traded, at_once=3)
    assert set(states(mind).values()) == {"stopped", "finished"}
    for rung in mind.scheduler.rungs.scores.values():
        ranked = ranks(rung)
        best = min(rung, key=lambda trial: ranked[trial])
        broken = {trial for trial, score in rung.items() if score.violation}
        assert broken == ({t for t in rung if int(t) % 2} if objective.constraints else set())
        assert best not in broken
    mind.log.close()
    for cut in cuts(path.read_bytes())[::7]:
        part = path.with_name(f"{cut}.jsonl")
        part.write_bytes(path.read_bytes()[:cut])
        again = conductor(part, sweep, objective=objective)
        execute(again, traded, at_once=3)
        check_complete(again, 9)
    assert known(conductor(path, sweep, objective=objective)) == known(mind)


def test_a_trial_that_breaks_a_constraint_stops_before_one_that_keeps_it(conductor, path):
    bound = Objective(TWO_GOALS[:1], constraints=(USAGE,))
    mind = conductor(path, small_sweep(), objective=bound)
    first, second = mind.propose(), mind.propose()
    assert not mind.report(first.trial, 5, {"val/psnr": 1.0, "val/code_usage": 0.5})
    assert mind.report(second.trial, 5, {"val/psnr": 9.0, "val/code_usage": 0.4})


def test_a_report_without_what_is_bound_ends_the_trial(conductor, path):
    mind = conductor(path, objective=Objective(TWO_GOALS[:1], constraints=(USAGE,)))
    trial = mind.propose().trial
    assert mind.report(trial, 5, {"val/psnr": 1.0})
    assert mind.trials[trial].reason == "no finite val/code_usage at step 5"

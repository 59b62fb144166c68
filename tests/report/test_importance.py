"""Parameter importance: what decides comes first, and too few trials say nothing."""

from dataclasses import replace

import numpy as np
import pytest

from raysweep.report.contest import Entry
from raysweep.report.importance import FEWEST, importance_section, importances
from raysweep.search.objective import Goal, Objective, Score
from tests.report.sweeps import compared, swept

DECIDES = "loss.disc_weight"


@pytest.fixture
def entries(tmp_path):
    """Of which one setting alone decides."""
    found = compared(swept(tmp_path / "one", trials=40, validations=2)).entries
    return [
        replace(it, row=replace(it.row, score=Score((-abs(np.log(it.record.params[DECIDES])),))))
        for it in found
    ]


def test_what_decides_comes_first(entries):
    (found,) = importances(entries[0].contest.objective, entries)
    assert found.goal == "psnr"
    assert next(iter(found.of)) == DECIDES
    assert sum(found.of.values()) == pytest.approx(1.0)
    assert set(found.of) == set(entries[0].record.params)


def test_trials_that_break_a_constraint_are_none_of_the_best(entries):
    broken, kept = entries[:20], entries[20:]
    worst = min(entry.row.score.values[0] for entry in entries)
    high = [scored(it, Score((100.0,), violation=0.5)) for it in broken]
    low = [scored(it, Score((worst - 1.0,))) for it in broken]
    objective = entries[0].contest.objective
    assert importances(objective, [*high, *kept]) == importances(objective, [*low, *kept])


def test_with_several_goals_they_are_left_out(entries):
    goals = Objective((Goal("val/psnr", "max"), Goal("val/lpips", "min")))
    contest = replace(entries[0].contest, objective=goals)
    several = [
        replace(scored(it, Score((*it.row.score.values, float(place)))), contest=contest)
        for place, it in enumerate(entries)
    ]
    broken = [scored(it, Score((100.0, 100.0), violation=0.5)) for it in several[:10]]
    assert importances(goals, [*broken, *several[10:]]) == importances(goals, several[10:])


def scored(entry: Entry, score: Score) -> Entry:
    broken = ("val/code_usage >= 0.5",) if score.violation else ()
    return replace(entry, row=replace(entry.row, score=score, broken=broken))


def test_a_list_among_the_values_is_a_value(entries):
    for place, entry in enumerate(entries):
        entry.record.params["model.ch_mult"] = [[1, 2], [1, 2, 4]][place % 2]
    (found,) = importances(entries[0].contest.objective, entries)
    assert "model.ch_mult" in found.of


def test_where_no_trial_stands_out_it_says_so(entries):
    alike = [replace(it, row=replace(it.row, score=Score((1.0,)))) for it in entries]
    assert importances(entries[0].contest.objective, alike) == []


def test_settings_that_only_some_trials_have(entries):
    for place, entry in enumerate(entries):
        entry.record.params["some"] = None if place % 2 else "a"
        if place % 3:
            del entry.record.params["loss.disc_start"]
    (found,) = importances(entries[0].contest.objective, entries)
    assert {"some", "loss.disc_start"} < set(found.of)


def test_too_few_trials_say_how_many_it_takes(tmp_path):
    few = compared(swept(tmp_path / "one", trials=FEWEST - 1, validations=2))
    assert importances(few.contests[0].objective, few.entries) == []
    assert f"needs {FEWEST} searched trials" in importance_section(few).body

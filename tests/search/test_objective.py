"""Scores out of metrics: higher is better whatever the direction, and none where one is missing."""

import pytest

from raysweep.search.objective import Constraint, Goal, Objective, Score

NAN = float("nan")
PSNR, LPIPS = Goal("val/psnr", "max"), Goal("val/lpips", "min")
USAGE = Constraint("val/code_usage", 0.5, is_minimum=True)
BITS = Constraint("val/bits_per_pixel", 0.1, is_minimum=False)
GOOD = {"val/psnr": 20.0, "val/lpips": 0.25, "val/code_usage": 0.75, "val/bits_per_pixel": 0.05}

SCORES = [
    (Objective((PSNR,)), GOOD, Score((20.0,))),
    (Objective((LPIPS,)), GOOD, Score((-0.25,))),
    (Objective((PSNR,)), {}, None),
    (Objective((PSNR,)), {"val/psnr": NAN}, None),
    (Objective((LPIPS,)), {"val/lpips": float("inf")}, None),
    (Objective((PSNR, LPIPS)), GOOD, Score((20.0, -0.25))),
    (Objective((PSNR, LPIPS)), {"val/psnr": 20.0}, None),
    (Objective((PSNR, LPIPS), (1.0, 8.0)), GOOD, Score((18.0,))),
    (Objective((PSNR,), constraints=(USAGE, BITS)), GOOD, Score((20.0,), 0.0)),
    (Objective((PSNR,), constraints=(USAGE,)), GOOD | {"val/code_usage": 0.25}, Score((20.0,), 0.5)),
    (Objective((PSNR,), constraints=(BITS,)), GOOD | {"val/bits_per_pixel": 0.2}, Score((20.0,), 1.0)),
    (Objective((PSNR,), constraints=(BITS,)), {"val/psnr": 20.0}, None),
]  # fmt: skip


@pytest.mark.parametrize(("objective", "metrics", "score"), SCORES)
def test_scores_are_higher_for_the_better(objective, metrics, score):
    assert objective.score(metrics) == score


def test_what_is_missing_is_named():
    objective = Objective((PSNR, LPIPS), constraints=(USAGE,))
    assert objective.metrics == ("val/psnr", "val/lpips", "val/code_usage")
    assert objective.missing({"val/psnr": 1.0, "val/lpips": NAN}) == "val/lpips"
    assert objective.missing({"val/psnr": 1.0, "val/lpips": 1.0}) == "val/code_usage"


KEPT_AS = [
    (Objective((LPIPS,)), "val/lpips"),
    (Objective((LPIPS,), constraints=(USAGE,)), "val/lpips"),
    (Objective((PSNR, LPIPS), (1.0, 8.0)), "score"),
    (Objective((PSNR, LPIPS)), "latest"),
]


@pytest.mark.parametrize(("objective", "name"), KEPT_AS)
def test_what_the_best_checkpoint_is_called(objective, name):
    assert objective.kept_as == name


def test_the_constraints_that_are_not_kept_are_told():
    objective = Objective((PSNR,), constraints=(USAGE, BITS))
    assert objective.broken(GOOD) == ()
    assert objective.broken(GOOD | {"val/bits_per_pixel": 0.2}) == (BITS,)
    assert list(map(str, objective.constraints)) == [
        "val/code_usage >= 0.5",
        "val/bits_per_pixel <= 0.1",
    ]

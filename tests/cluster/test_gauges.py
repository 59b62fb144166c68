"""What a sweep's gauges are set to, by a sweep that a plain loop plays; no cluster listens."""

import pytest

from raysweep.cluster import metrics
from raysweep.cluster.metrics import BEST_SCORE, TRIALS, SweepMetrics
from raysweep.search.objective import Goal, Objective
from search_spaces import smoke
from tests.fakes import driver, execute, small_sweep

LPIPS = Goal("val/lpips", "min")
PSNR = Goal("val/psnr", "max")
# What ranks -> the best score of trials whose PSNR is 0 to 5 and whose LPIPS is 0 to -5
RANKED = [
    (Objective((PSNR,)), ("val/psnr", 5.0)),
    (Objective((LPIPS,)), ("val/lpips", -5.0)),
    (Objective((PSNR, LPIPS), (1.0, 2.0)), ("score", 15.0)),
    (Objective((PSNR, LPIPS)), ("val/psnr", 5.0)),
]


@pytest.mark.parametrize(("objective", "best"), RANKED)
def test_states_and_the_best_score_are_what_the_log_says(
    tmp_path, monkeypatch, objective, best
) -> None:
    told: dict[tuple[str, ...], float] = {}

    def note(self, name, value, tags) -> None:
        told[name, *tags.values()] = value

    monkeypatch.setattr(metrics.Repeated, "set", note)
    sweep = small_sweep(scheduler={"kind": "none"})
    for _ in range(2):  # a driver that goes on says the same from its beginning
        told.clear()
        with driver(tmp_path / "events.jsonl", sweep, smoke.space, objective) as mind:
            watch = SweepMetrics("small", mind)
            mind.listener = watch
            execute(
                mind,
                lambda proposal, step: {
                    "val/psnr": float(int(proposal.trial)),
                    "val/lpips": -float(int(proposal.trial)),
                },
            )
            watch.close()
        by, value = best
        assert told[BEST_SCORE, "small", by] == value
        assert told[TRIALS, "small", "finished"] == 6
        assert told[TRIALS, "small", "running"] == 0

"""The last score: of the kept checkpoint and not of the latest, under its own names."""

from pathlib import Path

import pytest
import torch

from raysweep.training import checkpoint
from raysweep.training.loop import fit
from raysweep.training.testing import final_score
from tests.tiny import NO_TRACKER, MemoryBatches, tiny_parts, tiny_run


@pytest.mark.parametrize("average", [0.0, 0.9])
def test_it_is_the_kept_checkpoints_validation_on_other_clips(tmp_path: Path, average: float):
    """On the clips of its validation it says again what that said."""
    changes = {"training.weight_ema": average}
    parts, batches, reports = tiny_parts(changes), MemoryBatches(tiny_run(changes)), []
    assert fit(parts, batches, reports.append, NO_TRACKER, tmp_path / "best")
    kept = tmp_path / "best" / "psnr"
    with torch.no_grad():
        next(parts.state.tokenizer.parameters()).add_(1.0)  # what it is now does not count
    final = final_score(parts, kept, batches.validation())
    saved = checkpoint.saved_metrics(kept)
    assert {name.replace("test/", "val/") for name in final.metrics} == set(saved)
    for name, value in saved.items():
        assert final.metrics[name.replace("val/", "test/", 1)] == pytest.approx(value, rel=1e-5)
    assert final.step == max(reports, key=lambda report: report.metrics["val/psnr"]).step
    assert final.checkpoint is None


def test_a_run_that_diverges_does_not_come_to_its_end():
    changes = {"training.learning_rate": 1e30, "training.max_skipped": 1}
    batches = MemoryBatches(tiny_run(changes))
    assert not fit(tiny_parts(changes), batches, lambda report: None, NO_TRACKER)

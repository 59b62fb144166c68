"""The last score of a run: its best checkpoint, on clips that nothing was chosen by."""

from collections.abc import Generator
from contextlib import closing
from pathlib import Path

from torch import Tensor

from raysweep.training import checkpoint
from raysweep.training.evaluate import evaluate
from raysweep.training.loop import Parts, Report
from raysweep.training.validation_loss import with_total


def final_score(parts: Parts, kept: Path, clips: Generator[Tensor]) -> Report:
    """Loads the checkpoint at `kept` and scores it: `test/...` for all that validation measures.

    Every rank calls it with its share of `clips`.
    """
    parts.state.load_state_dict(checkpoint.load(kept))
    with closing(clips):
        figures = evaluate(parts.state.result, parts.new_metrics(), clips, parts.device)
    metrics = with_total(figures, parts.loss)
    named = {name.replace("val/", "test/", 1): value for name, value in metrics.items()}
    return Report(parts.state.step, named, None)

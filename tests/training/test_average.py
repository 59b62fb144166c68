"""Promises about averaged weights: an average of what training passed through, and what is validated and exported."""

import pytest
import torch
from torch import nn

from raysweep.pretrained import load
from raysweep.training import checkpoint
from raysweep.training.average import decay_at, update
from raysweep.training.evaluate import evaluate
from raysweep.training.loop import fit
from tests.tiny import CPU, EMA, NO_TRACKER, MemoryBatches, tiny_parts, tiny_run

AVERAGED = {"training.weight_ema": 0.9, "model.quantizer": EMA}


@pytest.mark.parametrize(
    ("decay", "step", "expected"), [(0.999, 0, 0.1), (0.999, 90, 0.91), (0.9, 1000, 0.9)]
)
def test_the_memory_grows_up_to_the_decay(decay, step, expected):
    assert decay_at(decay, step) == pytest.approx(expected)


def test_floats_move_by_the_decay_and_counts_are_copied():
    average, network = nn.BatchNorm1d(2), nn.BatchNorm1d(2)
    nn.init.constant_(network.weight, 3.0)
    network.num_batches_tracked += 7
    update(average, network, 0.75)
    assert average.weight.tolist() == [1.5, 1.5]
    assert average.num_batches_tracked == 7


def test_validation_scores_the_average_and_training_does_not_notice_it():
    plain, averaged = tiny_parts({"model.quantizer": EMA}), tiny_parts(AVERAGED)
    reports = []
    for parts in (plain, averaged):
        fit(parts, MemoryBatches(tiny_run(AVERAGED)), reports.append, NO_TRACKER)
    trained = averaged.state.tokenizer.state_dict()
    for name, value in plain.state.tokenizer.state_dict().items():
        torch.testing.assert_close(trained[name], value, rtol=0, atol=0)
    batches = MemoryBatches(tiny_run(AVERAGED)).validation()
    scored = evaluate(averaged.state.averaged, averaged.new_metrics(), batches, CPU)
    assert reports[-1].metrics.items() >= scored.items()
    assert reports[-1].metrics["val/psnr"] != reports[1].metrics["val/psnr"]


def test_the_export_holds_the_average(tmp_path):
    from raysweep.experiment.layout import Experiment
    from raysweep.export import export

    parts, experiment = tiny_parts(AVERAGED), Experiment(tmp_path)
    best = experiment.best_checkpoint("0000", "val/psnr")
    fit(parts, MemoryBatches(tiny_run(AVERAGED)), lambda report: None, NO_TRACKER, best.parent)
    model = load(export(experiment, "0000", "val/psnr", tmp_path / "model"))
    kept = checkpoint.load(best)["averaged"]
    for name, value in model.tokenizer.state_dict().items():
        torch.testing.assert_close(kept[name], value, rtol=0, atol=0)

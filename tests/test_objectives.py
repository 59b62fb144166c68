"""An objective out of settings is one that the run can be measured on."""

import pytest

from raysweep.errors import ConfigError
from raysweep.objectives import objective
from raysweep.search.objective import Constraint, Goal, Objective
from raysweep.training.loop import fit
from tests.models.pairs import FAMILIES
from tests.tiny import EMA, NO_TRACKER, MemoryBatches, tiny_parts, tiny_run

PSNR, LPIPS = Goal("val/psnr", "max"), Goal("val/lpips", "min")
PRETRAINED = {"loss.perceptual_init": "pretrained"}
LEVELS = {"model": {**FAMILIES["hierarchical"], "quantizer": EMA}}
USAGE = Constraint("val/code_usage", 0.5, True)

OBJECTIVES = [
    ("psnr", (), Objective((PSNR,))),
    ("val/lpips", (), Objective((LPIPS,))),
    (("psnr", "lpips_random"), (), Objective((PSNR, LPIPS))),
    ({"psnr": 1.0, "lpips": 20.0}, (), Objective((PSNR, LPIPS), (1.0, 20.0))),
    ("psnr", ("code_usage >= 0.5",), Objective((PSNR,), constraints=(USAGE,))),
    (
        ("psnr", "lpips"),
        ("val/code_usage >= 0.5", "code_usage <= 0.9"),
        Objective((PSNR, LPIPS), (), (USAGE, Constraint("val/code_usage", 0.9, False))),
    ),
]


@pytest.mark.parametrize(("asked", "constraints", "made"), OBJECTIVES)
def test_what_is_asked_is_made(asked, constraints, made):
    assert objective(asked, constraints, tiny_run(PRETRAINED)) == made


def test_of_lpips_it_is_the_one_that_the_run_measures():
    made = objective(("psnr", "lpips"), ("lpips <= 0.3",), tiny_run())
    assert made.metrics == ("val/psnr", "val/lpips_random")


REFUSED = [
    ("psrn", (), {}, "got 'psrn'. Did you mean 'psnr'"),
    (("psnr", "lpsip"), (), {}, "Did you mean 'lpips'"),
    ({"psnr": 1.0, "val/ssmi": 2.0}, (), {}, "Did you mean 'ssim'"),
    ("psnr", ("code_usge >= 0.5",), {}, "Did you mean 'code_usage'"),
    (("psnr", "val/psnr"), (), {}, "names a metric once, got psnr, val/psnr"),
    ({"lpips": 1.0, "lpips_random": 2.0}, (), {}, "once, got lpips, lpips_random"),
    ("psnr", ("ssim >= 0.5", "val/ssim >= 0.6"), {}, "one bound on each side"),
    ("psnr", ("lpips <= 0.5",), {"loss.perceptual_net": "none"}, "constraint lpips needs loss"),
    (("psnr", "rfid"), (), {}, "objective rfid needs training.rfid, got off"),
    ("flicker", (), {"data.clip_length": 1}, "objective flicker needs clips of several"),
    ("flicker", (), {"data.images": True}, "objective flicker needs clips of several"),
    ("ssim", (), {"data.resolution": 8, "loss.disc_weight": 0}, "11 px, got data.resolution 8"),
    ("perplexity/level0", (), {}, "several code maps, got model.kind taming_vqgan with one. Name"),
    ("perplexity/level7", (), LEVELS, "got 'perplexity/level7'. Did you mean"),
    ("psnr/level0", (), LEVELS, "must be one of perplexity/level0"),
]


@pytest.mark.parametrize(("asked", "constraints", "changes", "said"), REFUSED)
def test_what_a_run_cannot_produce_is_refused(asked, constraints, changes, said):
    with pytest.raises(ConfigError) as refused:
        objective(asked, constraints, tiny_run(changes))
    assert said in str(refused.value)


def test_a_code_map_has_figures_of_its_own():
    made = objective("val/perplexity/level1", (), tiny_run(LEVELS))
    assert made.goals == (Goal("val/perplexity/level1", "max"),)


EVERY = ("psnr", "ssim", "lpips", "perplexity", "code_usage", "bits_per_pixel", "flicker")
EVERY += ("entropy_bits_per_pixel", "perplexity/level0", "code_usage/level1")


def test_what_is_not_refused_is_reported():
    changes, reports = {**LEVELS, "training.steps": 1}, []
    made = objective(EVERY, (), tiny_run(changes))
    fit(tiny_parts(changes), MemoryBatches(tiny_run(changes)), reports.append, NO_TRACKER)
    assert set(made.metrics) <= set(reports[-1].metrics)

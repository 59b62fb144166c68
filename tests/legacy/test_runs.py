"""Every old file trains: the run it means, made small where settings allow it, on clips in memory."""

import pytest

from raysweep.assemble import assemble
from raysweep.config import RunConfig, SweepConfig, read_file
from raysweep.legacy import translate
from raysweep.schema import Tree
from raysweep.training.loop import Report, fit
from tests.legacy.files import FILES, FOLDER
from tests.tiny import CPU, NO_TRACKER, MemoryBatches

TINY: Tree = {
    "data.resolution": 32,
    "data.clip_length": 2,
    "data.batch_size": 4,
    "loss.perceptual_net": "squeeze",
    "loss.perceptual_init": "random",
    "discriminator.ch": 8,
    "discriminator.layers": 2,
    "training.steps": 2,
    "training.precision": "fp32",
    "model.checkpoint": None,
    "model.quantizer.codebook_size": 16,
    "model.quantizer.embedding_dim": 8,
    "tracking.swanlab": False,
    "cluster.gpus_per_worker": 0,
}
OF_FAMILY: dict[str, Tree] = {
    "taming_vqgan": {
        "model.ch": 8,
        "model.ch_mult": [1, 2, 2],
        "model.num_res_blocks": 1,
        "model.resolution": 32,
        "model.z_channels": 16,
        "model.attn_resolutions": [8],
    },
    "grouped": {"model.hidden": 8, "model.group_count": 3},
    "hierarchical": {"model.hidden": 16, "model.res_channels": 8},
    "conv": {
        "model.encoder_channels": [8, 16, 16],
        "model.decoder_channels": [16, 16, 8],
        "model.latent_channels": 16,
        "model.num_res_blocks": 1,
    },
}


def tiny(name: str, **pins: object) -> RunConfig:
    """The run of an old file under pins, as `--set` lays them over it."""
    settings = translate(read_file(FOLDER / name)).settings
    base = {section: value for section, value in settings.items() if section != "storage"}
    pinned = {**TINY, **OF_FAMILY[base["model"]["kind"]], **pins}
    return SweepConfig(name="tiny", base=base, pinned=pinned).run()


def last_report(run: RunConfig) -> Report:
    reports: list[Report] = []
    fit(assemble(run, CPU), MemoryBatches(run), reports.append, NO_TRACKER)
    return reports[-1]


@pytest.mark.parametrize("name", FILES)
def test_a_file_trains(name) -> None:
    report = last_report(tiny(name))
    assert report.step == 2
    assert report.metrics["val/psnr"] > 0


GANS = ["1-taming.json", "3-param.json", "3-resume.json", "own-hierarchical.json"]


@pytest.mark.parametrize("name", GANS)
def test_a_file_trains_with_its_discriminator(name) -> None:
    run = tiny(name, **{"loss.disc_start": 0, "training.steps": 4})
    assert run.loss.has_gan
    parts = assemble(run, CPU)
    before = [weight.clone() for weight in parts.state.discriminator.parameters()]
    fit(parts, MemoryBatches(run), lambda report: None, NO_TRACKER)
    after = list(parts.state.discriminator.parameters())
    assert any((old != new).any() for old, new in zip(before, after, strict=True))

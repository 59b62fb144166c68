"""The whole configuration: precedence, round trips, and impossible pairs refused early."""

import json
from pathlib import Path
from typing import get_args

import pytest
import yaml

from raysweep.config import RunConfig, SweepConfig, in_steps, prolonged, read_file, run_config
from raysweep.errors import ConfigError
from raysweep.losses import LossConfig
from raysweep.models import KINDS, defaults
from raysweep.models.discriminators import PatchConfig
from raysweep.presets import PRESETS
from raysweep.schema import flatten, merge, override, parse
from tests.tiny import SETTINGS, tiny_run

# --- precedence: defaults < preset < file < space < --set

PRECEDENCE = [
    pytest.param({}, {}, {}, 3, id="the default"),
    pytest.param({"loss": {"preset": "taming"}}, {}, {}, 1, id="the preset over it"),
    pytest.param({"loss": {"preset": "taming", "disc_every": 5}}, {}, {}, 5, id="the file over it"),
    pytest.param({"loss": {"disc_every": 5}}, {"loss.preset": "taming"}, {}, 5, id="any preset"),
    pytest.param({"loss": {"disc_every": 5}}, {"loss.disc_every": 6}, {}, 6, id="the space"),
    pytest.param({}, {"loss.disc_every": 6}, {"loss.disc_every": 7}, 7, id="by hand over all"),
    pytest.param(
        {"loss": {"disc_every": 5}}, {}, {"loss.preset": "taming"}, 5, id="preset by hand"
    ),
]


@pytest.mark.parametrize(("file", "suggested", "pinned", "expected"), PRECEDENCE)
def test_precedence(file, suggested, pinned, expected) -> None:
    sweep = SweepConfig(name="x", base=file, pinned=pinned)
    assert sweep.run(suggested).loss.disc_every == expected


def test_a_trial_added_by_hand_overrules_what_was_pinned() -> None:
    sweep = SweepConfig(name="x", pinned={"loss.disc_every": 7, "seed": 3})
    run = sweep.run_by_hand({"loss.disc_every": 8})
    assert (run.loss.disc_every, run.seed) == (8, 3)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_valid_and_takes_effect(preset) -> None:
    run = flatten(run_config({"loss": {"preset": preset}}).model_dump())
    asked = flatten(PRESETS[preset])
    assert {path: run[path] for path in asked} == asked


def test_the_presets_are_those_that_the_setting_names() -> None:
    named = LossConfig.model_fields["preset"].annotation
    assert set(PRESETS) == set(get_args(get_args(named)[0]))


def test_a_preset_lies_below_what_is_given_in_any_section() -> None:
    given = {"loss": {"preset": "vqgan_plus"}, "training": {"clip_norm": 2.0}}
    run = run_config(given)
    assert (run.training.clip_norm, run.training.optimizer) == (2.0, "adamw")
    assert run.discriminator.kind == "blur"
    changed = run_config({**given, "discriminator": {"kind": "patch"}})
    assert changed.discriminator == PatchConfig()


# --- the length of a run, in steps or in epochs

# file, suggested, pinned -> (steps, epochs)
LENGTHS = [
    pytest.param({"epochs": 3}, {}, {}, (None, 3), id="of the file"),
    pytest.param({"steps": 5}, {"training.epochs": 3}, {}, (None, 3), id="of the space"),
    pytest.param({"epochs": 3}, {"training.steps": 5}, {}, (5, None), id="in the other unit"),
    pytest.param({}, {"training.epochs": 3}, {"training.steps": 5}, (5, None), id="by hand"),
    pytest.param({"steps": 5}, {}, {"training.epochs": None}, (5, None), id="none is not a length"),
]


@pytest.mark.parametrize(("file", "suggested", "pinned", "expected"), LENGTHS)
def test_the_strongest_layer_says_the_length(file, suggested, pinned, expected) -> None:
    training = SweepConfig(name="x", base={"training": file}, pinned=pinned).run(suggested).training
    steps, epochs = expected
    assert training.epochs == epochs
    assert steps is None or training.steps == steps


def test_one_layer_says_one_length() -> None:
    with pytest.raises(ConfigError, match=r"training.steps or training.epochs, got both, 5 and 3"):
        run_config({"training": {"steps": 5, "epochs": 3}})


@pytest.mark.parametrize(("clips", "batch", "steps"), [(12, 4, 9), (10, 4, 8), (1, 4, 1)])
def test_epochs_become_steps(clips, batch, steps) -> None:
    run = tiny_run({"data.batch_size": batch})
    run = run.model_copy(update={"training": run.training.model_copy(update={"epochs": 3})})
    training = in_steps(run, clips).training
    assert (training.steps, training.epochs) == (steps, None)


def test_epochs_of_images_count_each_image_once() -> None:
    run = tiny_run({"data.images": True, "data.batch_size": 4, "data.clip_length": 2})
    run = run.model_copy(update={"training": run.training.model_copy(update={"epochs": 3})})
    assert in_steps(run, 24).training.steps == 9


# --- kinds

PUBLISHED = run_config({}).model.quantizer


@pytest.mark.parametrize(
    ("changes", "kind", "size"),
    [
        ({"model.quantizer.codebook_size": 64}, "gradient", 64),
        ({"model.quantizer.kind": "ema"}, "ema", 1024),
        ({"model.quantizer.codebook_size": 64, "model.quantizer.kind": "ema"}, "ema", 64),
    ],
)
def test_a_setting_of_a_quantizer_needs_no_kind_beside_it(changes, kind, size) -> None:
    quantizer = run_config(override({}, changes)).model.quantizer
    assert (quantizer.kind, quantizer.codebook_size) == (kind, size)


def test_switching_the_kind_drops_what_only_the_old_one_had() -> None:
    old = {"model": {"quantizer": {"kind": "gradient", "legacy_beta": False, "codebook_size": 8}}}
    quantizer = run_config(override(old, {"model.quantizer.kind": "ema"})).model.quantizer
    assert quantizer.codebook_size == PUBLISHED.codebook_size
    assert not hasattr(quantizer, "legacy_beta")


@pytest.mark.parametrize("kind", KINDS)
def test_a_family_keeps_its_own_defaults_beside_what_is_set(kind) -> None:
    own = defaults(kind)
    run = run_config({"model": {"kind": kind, "quantizer": {"codebook_size": 64}}})
    expected = merge(own, {"quantizer": {"codebook_size": 64}})
    assert run.model.model_dump() == expected


# file, --set -> family, quantizer
EARLIER_NAMES = [
    ({"model": {"kind": "EMAVQ"}}, {}, "taming_vqgan", "ema"),
    ({}, {"model.kind": "emavq"}, "taming_vqgan", "ema"),
    (
        {"model": {"kind": "EMAVQ", "quantizer": {"codebook_size": 64}}},
        {"model.ch": 8},
        "taming_vqgan",
        "ema",
    ),
    ({"model": {"kind": "EMAVQ"}}, {"model.quantizer.kind": "ema"}, "taming_vqgan", "ema"),
    ({"model": {"kind": "EMAVQ"}}, {"model.kind": "VQGAN"}, "taming_vqgan", "gradient"),
    ({"model": {"kind": "VQGAN"}}, {"model.quantizer.kind": "ema"}, "taming_vqgan", "ema"),
    (
        {"model": {"kind": "VqVae2"}},
        {"model.quantizer.kind": "gradient"},
        "grouped",
        "gradient",
    ),
    ({"model": {"kind": "vqvae2"}}, {}, "hierarchical", "ema"),
]


@pytest.mark.parametrize(("file", "by_hand", "kind", "quantizer"), EARLIER_NAMES)
def test_an_earlier_name_of_a_family_selects_it_wherever_it_is_written(
    file, by_hand, kind, quantizer
) -> None:
    model = SweepConfig(name="x", base=file, pinned=by_hand).run().model
    assert (model.kind, model.quantizer.kind) == (kind, quantizer)


def test_settings_beside_an_earlier_name_are_kept() -> None:
    file = {"model": {"kind": "EMAVQ", "ch": 8, "quantizer": {"codebook_size": 64}}}
    model = run_config(override(file, {"model.quantizer.decay": 0.9})).model
    assert (model.ch, model.quantizer.codebook_size, model.quantizer.decay) == (8, 64, 0.9)


# --- round trips


@pytest.mark.parametrize("through", [json, yaml])
@pytest.mark.parametrize(
    "changes", [{}, {"loss.perceptual_init": "weights/vgg.pth"}, {"loss.disc_start": 0.25}]
)
def test_written_and_read_it_is_the_same(through, changes) -> None:
    config = tiny_run(changes)
    dump = json.dumps if through is json else yaml.safe_dump
    text = dump(config.model_dump(mode="json"))
    assert parse(RunConfig, yaml.safe_load(text)) == config


def test_the_file_is_read_as_yaml_or_json(tmp_path: Path) -> None:
    for name, dump in {"a.yaml": yaml.safe_dump, "b.json": json.dumps}.items():
        (tmp_path / name).write_text(dump(SETTINGS))
        assert read_file(tmp_path / name) == SETTINGS


FILES = {
    "a list": (b"- 1\n- 2\n", "must hold a mapping of settings, got list"),
    "empty": (b"", "must hold a mapping of settings, got NoneType"),
    "broken": (b"a: [1,\nb: 2", "neither YAML nor JSON"),
    "binary": (b"\xff\xfe\x00\x80", "neither YAML nor JSON"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_holds_no_settings_is_refused_in_a_line(name, tmp_path) -> None:
    content, message = FILES[name]
    (tmp_path / "run.yaml").write_bytes(content)
    with pytest.raises(ConfigError, match=message) as caught:
        read_file(tmp_path / "run.yaml")
    assert "\n" not in str(caught.value)


def test_an_absent_file_is_refused(tmp_path) -> None:
    with pytest.raises(
        ConfigError, match=r"cannot read the config file .*none\.yaml: No such file"
    ):
        read_file(tmp_path / "none.yaml")


# --- refused early

REFUSALS = [
    ({"loss.disc_strt": 1}, "loss: unknown setting 'disc_strt'; did you mean 'disc_start'?"),
    ({"lose.disc_start": 1}, "unknown setting 'lose'; did you mean 'loss'?"),
    ({"loss.preset": "tamin"}, "loss.preset: Input should be 'taming', 'classic', 'vqgan_plus'"),
    ({"loss.preset": ["taming"]}, "got ['taming']."),
    ({"loss": 3}, "got 3."),
    ({"training.steps": 0}, "training.steps: Input should be greater than or equal to 1, got 0."),
    ({"seed": -1}, "seed: Input should be greater than or equal to 0, got -1."),
    ({"model.quantizer.kind": "emo"}, "model.quantizer.kind: Input should be one of"),
    (
        {"model.kind": "EMAVQ", "model.quantizer.kind": "gradient"},
        "model.kind EMAVQ means a quantizer of kind ema, got model.quantizer.kind gradient. "
        "Leave one of the two out, or set model.kind to taming_vqgan.",
    ),
    ({"model.kind": "emavk"}, "got 'emavk'. Did you mean 'EMAVQ'?"),
    ({"model.kind": 3}, "model.kind: Input should be one of 'taming_vqgan'"),
    (
        {"model.kind": "hierarchical", "model.scaling_rates": [3, 2]},
        "model.scaling_rates: must be powers of two, 2 or more, got [3, 2]. Try [4, 2].",
    ),
    (
        {"model.quantizer.betta": 1},
        "model.quantizer: unknown setting 'betta'; did you mean 'beta'?",
    ),
    (
        {"model.quantizer.codebook_size": 0},
        "model.quantizer.codebook_size: Input should be greater",
    ),
    (
        {"data.batch_size": 7, "cluster.workers": 2},
        "data.batch_size must divide by cluster.workers, got 7 and 2. Set data.batch_size to 8.",
    ),
    (
        {"data.batch_size": 6, "cluster.workers": 2, "training.accumulate": 2},
        "data.batch_size must divide by cluster.workers x training.accumulate, got 6 and 2 x 2. "
        "Set data.batch_size to 8.",
    ),
    (
        {"data.batch_size": 4, "cluster.workers": 2, "cluster.gpus_per_worker": 0.5},
        "cluster.gpus_per_worker must be whole for several workers (NCCL wants a GPU for each) "
        "and above 1, got 0.5 for 2. Set it to 1.",
    ),
    ({"cluster.gpus_per_worker": 1.5}, "got 1.5 for 1. Set it to 2."),
    (
        {"data.batch_size": 4, "cluster.workers": 2, "cluster.trainable": "single"},
        "cluster.trainable single takes one worker, got 2. Set cluster.trainable to distributed.",
    ),
    (
        {"data.batch_size": 4, "cluster.workers": [1, 2], "cluster.trainable": "single"},
        "cluster.trainable single takes one worker, got 2. Set cluster.trainable to distributed.",
    ),
    (
        {"data.batch_size": 8, "cluster.workers": [2, 4]},
        "data.batch_size must divide by cluster.workers, got 8 and 3. Set data.batch_size to 12.",
    ),
    (
        {"data.batch_size": 12, "cluster.workers": [2, 3], "training.accumulate": 4},
        "cluster.workers x training.accumulate, got 12 and 2 x 4. Set data.batch_size to 24.",
    ),
    ({"cluster.workers": [4, 2]}, "cluster: workers [least, most] must rise, got [4, 2]. Set"),
    ({"cluster.workers": 0}, "cluster.workers"),
    ({"data.resolution": 16}, "needs frames of at least 32 px, got data.resolution 16."),
    (
        {"data.resolution": 32, "discriminator.layers": 4},
        "a discriminator of 4 layers needs frames of at least 64 px, got data.resolution 32.",
    ),
]


@pytest.mark.parametrize(("changes", "message"), REFUSALS)
def test_what_cannot_be_is_refused_in_a_line(changes, message) -> None:
    with pytest.raises(ConfigError) as caught:
        run_config(override({}, changes))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not str(caught.value).endswith("..")


def test_a_small_frame_is_taken_without_a_gan() -> None:
    assert (
        run_config({"data": {"resolution": 16}, "loss": {"disc_weight": 0}}).data.resolution == 16
    )


def test_a_sweep_without_validations_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"training.validate_every must be above 0, since"):
        parse(SweepConfig, {"name": "x", "base": {"training": {"validate_every": 0}}})


def test_the_paths_that_documents_and_users_lean_on_are_there() -> None:
    paths = flatten(RunConfig().model_dump())
    contract = """model.kind model.quantizer.kind model.quantizer.codebook_size
        model.quantizer.embedding_dim loss.preset loss.disc_start loss.disc_every loss.disc_weight
        loss.disc_factor loss.perceptual_weight loss.pixel_weight loss.codebook_weight
        training.steps training.learning_rate training.validate_every data.clip_length
        data.resolution data.batch_size cluster.workers seed"""
    assert set(contract.split()) <= set(paths)


@pytest.mark.parametrize(
    ("disc_start", "step"), [(0, 0), (1, 1), (10_000, 10_000), (0.3, 300), (0.0, 0)]
)
def test_disc_start_is_a_step_or_a_share_of_the_run(disc_start, step) -> None:
    assert tiny_run({"loss.disc_start": disc_start}).loss.disc_start_step(1000) == step


@pytest.mark.parametrize(
    ("trainable", "workers", "expected"),
    [
        ("auto", 1, "single"),
        ("auto", 2, "distributed"),
        ("auto", [1, 2], "distributed"),
        ("distributed", 1, "distributed"),
    ],
)
def test_auto_chooses_the_trainable_by_the_workers(trainable, workers, expected) -> None:
    cluster = {"cluster.trainable": trainable, "cluster.workers": workers}
    assert tiny_run(cluster).cluster.resolved_trainable == expected


def test_an_extended_sweep_has_longer_runs_whatever_said_their_length():
    sweep = parse(SweepConfig, {"name": "x", "pinned": {"training.epochs": 3}})
    longer = sweep.extended(sweep.budget, 77)
    assert longer.run({"training.steps": 5}).training.steps == 77
    assert longer.run().training.epochs is None
    assert sweep.extended(sweep.budget, None) == sweep


def test_a_run_that_is_prolonged_by_nothing_is_itself():
    run = run_config({"training": {"steps": 20}, "loss": {"disc_start": 0.25}})
    assert prolonged(run, 20, 20) == run
    assert prolonged(run, 20, 40).loss.disc_start == 5

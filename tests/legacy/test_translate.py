"""Every old file maps to what its documents say, and no setting is dropped in silence."""

import pytest

from raysweep.config import RunConfig, read_file, run_config
from raysweep.errors import ConfigError
from raysweep.legacy import Translation, is_param_file, tables, translate
from raysweep.schema import Tree, flatten, nest, override
from tests.legacy.files import FILES, FOLDER


def run_of(translation: Translation) -> RunConfig:
    settings = {name: value for name, value in translation.settings.items() if name != "storage"}
    return run_config(settings)


def translated(settings: Tree) -> Translation:
    return translate(override({}, settings))


TAMING = {
    "data.resolution": 256,
    "model.kind": "taming_vqgan",
    "model.quantizer.kind": "ema",
    "model.quantizer.codebook_size": 1024,
    "model.quantizer.embedding_dim": 256,
    "model.ch_mult": [1, 1, 2, 2, 4],
    "model.attn_resolutions": [16],
    "model.double_z": False,
    "loss.preset": None,
    "loss.pixel": "l1",
    "loss.disc_start": 10_000,
    "loss.disc_weight": 0.8,
    "loss.disc_every": 3,
    "loss.codebook_weight": 1.0,
    "loss.adaptive_cap": 1e4,
    "loss.disc_ramp": 0,
    "training.steps": 100_000,
    "training.learning_rate": 1e-4,
    "training.disc_learning_rate": None,
    "training.betas": [0.5, 0.9],
    "training.schedule": "exponential",
    "training.decay_rate": 0.99,
    "training.decay_every": 1000,
}
CLASSIC = {
    "loss.preset": "classic",
    "loss.disc_every": 3,
    "loss.disc_ramp": 2.0,
    "loss.disc_noise": 0.01,
    "loss.adaptive_cap": 1e2,
    "training.betas": [0.9, 0.999],
    "training.disc_learning_rate": 1e-5,
    "training.schedule": "exponential",
}
CONV = {
    "data.images": True,
    "model.kind": "conv",
    "model.quantizer.kind": "ema",
    "model.quantizer.decay": 0.99,
    "loss.pixel": "l1",
    "loss.pixel_weight": 1.0,
    "loss.disc_weight": 0.0,
    "training.learning_rate": 2e-4,
    "training.betas": [0.9, 0.99],
    "training.weight_decay": 0.0,
    "training.schedule": "constant",
    "training.log_every": 100,
    "training.pictures_every": 500,
}
EXPECTED = {
    "1-taming.json": TAMING,
    "2-training-flow.json": TAMING,
    "3-param.json": {
        **CLASSIC,
        "seed": 2025,
        "data.source": ["/data/huyang/data/train"],
        "data.validation_source": ["/data/huyang/data/vaild"],
        "data.images": True,
        "data.random_start": False,
        "data.batch_size": 1,
        "data.clip_length": 8,
        "data.resolution": 256,
        "data.max_validation_frames": 10_000,
        "model.kind": "hierarchical",
        "model.hidden": 256,
        "model.res_channels": 32,
        "model.nb_res_layers": 2,
        "model.scaling_rates": [4, 2],
        "model.quantizer.kind": "optvq",
        "model.quantizer.codebook_size": 4096,
        "model.quantizer.embedding_dim": 1024,
        "model.quantizer.epsilon": 10.0,
        "model.quantizer.iterations": 5,
        "model.quantizer.normalize": "all",
        "model.quantizer.use_prob": True,
        "model.quantizer.loss": "ce",
        "model.quantizer.beta": 1.0,
        "model.quantizer.use_proj": True,
        "loss.disc_factor": 0.8,
        "loss.disc_start": 50_000,
        "training.steps": 300_020,
        "training.learning_rate": 1e-4,
        "training.disc_betas": [0.5, 0.9],
        "training.validate_every": 1000,
        "tracking.wandb": False,
        "tracking.wandb_project": "train_vqgan_3.2.0_new_data",
    },
    "3-resume.json": {
        **CLASSIC,
        "model.kind": "grouped",
        "model.quantizer.kind": "ema",
        "model.checkpoint": "/path/to/checkpoint_step10000.pth.tar",
        "model.checkpoint_bgr": True,
        "loss.disc_start": 20_000,
        "loss.disc_factor": 1.0,
        "training.steps": 100_000,
        "training.learning_rate": 1e-3,
        "training.disc_betas": [0.5, 0.9],
    },
    "5-smallest.json": TAMING,
    "5-complete.json": {**TAMING, "loss.pixel_weight": 1.0, "loss.perceptual_weight": 1.0},
    "own-conv-baseline.json": {
        **CONV,
        "data.source": "/path/to/images",
        "data.batch_size": 32,
        "data.valid_fraction": 0.2,
        "model.latent_channels": 256,
        "model.quantizer.beta": 0.25,
        "loss.perceptual_weight": 0.5,
        "training.epochs": 100,
        "training.precision": "fp16",
        "cluster.gpus_per_worker": 1.0,
        "tracking.swanlab": True,
        "tracking.swanlab_project": "vq-vae-anime",
        "tracking.swanlab_experiment": "vqvae-baseline",
        "tracking.swanlab_tags": ["baseline", "vqvae"],
        "tracking.swanlab_notes": "初始 VQ-VAE 实验",
    },
    "own-conv-larger.json": {
        **CONV,
        "model.latent_channels": 384,
        "model.encoder_channels": [128, 256, 384, 384],
        "model.decoder_channels": [384, 384, 256, 128],
        "model.num_res_blocks": 3,
        "model.quantizer.codebook_size": 2048,
        "model.quantizer.embedding_dim": 384,
        "loss.perceptual_weight": 0.5,
    },
    "own-conv-weights.json": {
        **CONV,
        "model.quantizer.beta": 0.5,
        "loss.perceptual_weight": 1.0,
    },
    "own-conv-without-lpips.json": {
        **CONV,
        "loss.perceptual_net": "none",
        "loss.perceptual_weight": 0.0,
        "model.quantizer.codebook_size": 1024,
        "model.quantizer.embedding_dim": 256,
    },
    "own-grouped.json": {
        "data.source": "/data/huyang/data/train",
        "data.validation_source": "/data/huyang/data/vaild",
        "data.random_start": True,
        "model.kind": "grouped",
        "model.group_count": 5,
        "model.hidden": 256,
        "model.quantizer.kind": "ema",
        "model.quantizer.codebook_size": 4096,
        "model.quantizer.embedding_dim": 1024,
        "model.quantizer.beta": 0.25,
        "loss.disc_weight": 0.0,
        "loss.pixel": "l2",
        "loss.perceptual_weight": 0.0,
    },
    "own-hierarchical.json": {
        **CLASSIC,
        "model.kind": "hierarchical",
        "model.hidden": 128,
        "model.res_channels": 64,
        "model.scaling_rates": [4, 2],
        "model.quantizer.kind": "ema",
        "model.quantizer.codebook_size": 512,
        "model.quantizer.embedding_dim": 64,
        "loss.disc_weight": 0.8,
        "training.learning_rate": 3e-4,
    },
    "own-taming-classic.json": {
        **CLASSIC,
        "model.kind": "taming_vqgan",
        "model.quantizer.kind": "gradient",
        "loss.disc_start": 1000,
        "training.disc_betas": [0.4, 0.9],
        "training.learning_rate": 1e-4,
    },
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_means_what_its_document_says(name) -> None:
    run = flatten(run_of(translate(read_file(FOLDER / name))).model_dump(mode="json"))
    expected = EXPECTED[name]
    assert {path: run[path] for path in expected} == expected


@pytest.mark.parametrize("name", FILES)
def test_every_setting_of_a_file_is_accounted_for(name) -> None:
    old = read_file(FOLDER / name)
    account = translate(old)
    rows = {row.old for row in account.mapped if row.old}
    listed = {row.old for row in account.listed}
    assert rows | listed == set(flatten(old))
    assert not rows & listed
    assert [row for row in account.listed if row.reason.startswith("unknown")] == []


def test_a_file_is_told_by_its_shape() -> None:
    assert all(is_param_file(read_file(FOLDER / name)) for name in FILES)
    assert not is_param_file({"model": {"kind": "conv"}, "training": {"steps": 3}})
    assert not is_param_file({})


# --- model types

TYPES = [
    ("VqVae", "grouped", "ema"),
    ("VqVae2", "grouped", "ema"),
    ("vq_vae", "grouped", "ema"),
    ("vqvaeoptvq", "grouped", "optvq"),
    ("VQVAE2", "hierarchical", "ema"),
    ("vqvae2", "hierarchical", "ema"),
    ("VQVAE2_OptVQ", "hierarchical", "optvq"),
    ("Vqvae2OptVQ", "hierarchical", "optvq"),
    ("vqvae2optvq", "hierarchical", "optvq"),
    ("taming_vqgan", "taming_vqgan", "gradient"),
    ("TamingVQModel", "taming_vqgan", "gradient"),
    ("VQGAN", "taming_vqgan", "gradient"),
    ("emavq", "taming_vqgan", "ema"),
    ("VQVAEModel", "conv", "ema"),
    ("vqvae-model", "conv", "ema"),
]


@pytest.mark.parametrize(("written", "kind", "quantizer"), TYPES)
def test_a_model_type_is_a_family_and_a_quantizer(written, kind, quantizer) -> None:
    model = run_of(translate({"model_type": written})).model
    assert (model.kind, model.quantizer.kind) == (kind, quantizer)


@pytest.mark.parametrize(
    ("written", "settings", "quantizer"),
    [
        ("VqVae2", {"model_args.decay": 0}, "gradient"),
        ("VqVae2", {"model_args.decay": 0.9}, "ema"),
        ("VQVAEModel", {"model_args.decay": 0.0}, "gradient"),
        ("VQGAN", {"model_args.model_variant": "EMAVQ"}, "ema"),
        ("VQGAN", {"model_args.model_variant": "VQModel"}, "gradient"),
        ("EMAVQ", {"model_args.model_variant": "EMAVQ"}, "ema"),
        ("EMAVQ", {"model_args.decay": 0}, "ema"),
    ],
)
def test_what_decides_the_quantizer(written, settings, quantizer) -> None:
    account = translated({"model_type": written, **settings})
    assert run_of(account).model.quantizer.kind == quantizer


# --- single settings: the file, and what must come of it

QUANTIZER = "model.quantizer."
SPLIT = {"model_type": "VQVAEModel", "model_args.decay": 0}
MEANS = [
    ({**SPLIT, "model_args.lambda_vq": 2.0}, "loss.codebook_weight", 2.0),
    ({**SPLIT, "model_args.lambda_vq": 2, "model_args.lambda_commit": 1}, QUANTIZER + "beta", 0.5),
    ({**SPLIT, "model_args.lambda_commit": 1}, QUANTIZER + "beta", 1),
    ({**SPLIT, "model_args.lambda_commit": 1}, QUANTIZER + "legacy_beta", False),
    ({"model_type": "VQGAN"}, QUANTIZER + "legacy_beta", True),
    ({"train_args.device": "cpu"}, "cluster.gpus_per_worker", 0),
    ({"train_args.device": "cuda"}, "cluster.gpus_per_worker", 1),
    ({"train_args.device": "cuda:3"}, "cluster.gpus_per_worker", 1),
    ({"train_args.device": "auto"}, "cluster.gpus_per_worker", 0),
    ({"train_args.precision": "bf16-mixed"}, "training.precision", "bf16"),
    ({"train_args.precision": 32}, "training.precision", "fp32"),
    ({"train_args.max_images": 64}, "data.max_validation_frames", 64),
    ({"train_args.disc_every": 1}, "loss.disc_every", 1),
    ({"train_args.folder_name": "/tmp/x"}, "storage", "/tmp/x"),
    ({"train_args.wandb_log_interval": 7}, "training.log_every", 7),
    ({"train_args.wandb_image_interval": 70}, "training.pictures_every", 70),
    ({"train_args.devices": [0, 1]}, "cluster.workers", 2),
    ({"data_process.train": "a"}, "data.split", "none"),
    ({"use_wandb": True}, "tracking.wandb_job_type", "train_model"),
    ({"use_wandb": True, "job_type": "x"}, "tracking.wandb_job_type", "x"),
    ({"model_type": "VQGAN"}, "training.learning_rate", 1e-4),
    ({"model_type": "VQGAN", "train_args.lr": 3e-4}, "training.learning_rate", 3e-4),
    (
        {"model_type": "VQGAN", "train_args.lr": 3e-4, "model_args.learning_rate": 2e-4},
        "training.learning_rate",
        2e-4,
    ),
    ({"model_type": "VQGAN", "train_args.use_gan": False}, "loss.disc_weight", 0.0),
    (
        {"model_type": "VQGAN", "model_args.lossconfig.params.disc_start": 5},
        "loss.disc_weight",
        1.0,
    ),
    ({"model_type": "VQGAN", "model_args.ddconfig.resolution": 64}, "data.resolution", 64),
    ({"data_args.training_data_files": ["a"], "data_process.train": "b"}, "data.source", "b"),
    ({"data_args.validation_data_files": 1, "data_process.val": 2}, "data.validation_source", 2),
    ({"model_args.ckpt_path": "a", "model_type": "VQGAN"}, "model.checkpoint", "a"),
]


@pytest.mark.parametrize(("old", "path", "value"), MEANS, ids=str)
def test_a_setting_means(old, path, value) -> None:
    assert flatten(translated({"model_type": "VqVae2", **old}).settings)[path] == value


@pytest.mark.parametrize("old", [{"device": "auto"}, {"device": None}, {"lr": 1.0}])
def test_a_gpu_is_taken_where_there_is_one(old) -> None:
    assert translate({"train_args": old}, gpus=4).settings["cluster"]["gpus_per_worker"] == 1


@pytest.mark.parametrize(
    ("old", "present"), [({"max_epochs": 3}, "epochs"), ({"num_steps": 3}, "steps")]
)
def test_a_run_has_one_length(old, present) -> None:
    training = translate({"train_args": old}).settings["training"]
    assert {"steps", "epochs"} & training.keys() == {present}


def test_footage_named_elsewhere_takes_the_place_of_all_of_the_files() -> None:
    old = {"data_process": {"train": "a", "vaild": "b"}, "use_images": False}
    account = translate(old, other_source=True)
    assert {"source", "validation_source", "split"} & account.settings["data"].keys() == set()
    assert {row.old for row in account.listed} == {"data_process.train", "data_process.vaild"}


# --- refused, with both values named

REFUSED = [
    ({"model_type": "EMAVQ", "model_args.model_variant": "VQModel"}, ["'EMAVQ'", "'VQModel'"]),
    ({"model_type": "VQVEA2"}, ["'VQVEA2'", "Did you mean 'VQVAE2'?"]),
    (
        {"model_type": "VQVAE2", "model_args.nb_levels": 3, "model_args.scaling_rates": [4, 2]},
        ["nb_levels 3", "[4, 2]"],
    ),
    ({"model_type": "VQVAE2", "model_args.nb_levels": 3}, ["nb_levels 3", "as by default"]),
    (
        {"model_type": "VQVAE2", "model_args.scaling_rates": [8], "scaling_rates": [4, 2]},
        ["[8]", "[4, 2]"],
    ),
    (
        {"model_type": "VQGAN", "model_args.lossconfig.params.disc_conditional": True},
        ["disc_conditional", "True"],
    ),
    ({"model_type": "VqVae", "model_args.n_embed": 8, "model_args.vocab_size": 9}, ["8", "9"]),
    ({"model_type": "VqVae", "model_args.in_channels": 1}, ["in_channels", "RGB", "1"]),
    ({"train_args.num_steps": 8, "train_args.max_epochs": 9}, ["num_steps 8", "max_epochs 9"]),
    ({"data_process.vaild": "a", "data_process.val": "b"}, ["'a'", "'b'"]),
    ({**SPLIT, "model_args.lambda_vq": 0}, ["lambda_vq", "above 0"]),
    ({**SPLIT, "model_args.lambda_vq": 2, "model_args.lambda_commit": "x"}, ["'x'", "a number"]),
    ({"train_args.device": "tpu"}, ["train_args.device", "'tpu'"]),
    ({"train_args.precision": 8}, ["train_args.precision", "8"]),
    ({"model_type": "VQGAN", "model_args.model_variant": "X"}, ["'X'", "VQModel or EMAVQ"]),
]


@pytest.mark.parametrize(("old", "pieces"), REFUSED, ids=str)
def test_what_cannot_be_honoured_is_refused_in_a_line(old, pieces) -> None:
    with pytest.raises(ConfigError) as caught:
        translated(old)
    assert [piece for piece in pieces if piece not in str(caught.value)] == []
    assert "\n" not in str(caught.value)
    assert not str(caught.value).endswith("..")


# --- listed, with a reason

LISTED = [
    ({"data_args.num_threads": 6}, "Ray's business"),
    ({"train_args.save_interval": 5}, "training.validate_every"),
    ({"train_args.checkpoint_path": None}, "null"),
    ({"model_args.group_cuont": 5}, "unknown; did you mean model_args.group_count?"),
    ({"zzz": 1}, "unknown"),
    ({"model_args.epsilon": 10}, "never read it"),
    ({"model_type": "VQGAN", "train_args.disc_lr": 1e-5}, "lossconfig"),
    ({"model_type": "VQVAEModel", "model_args.lambda_vq": 1.0}, "moving average"),
]


@pytest.mark.parametrize(("old", "reason"), LISTED, ids=str)
def test_what_means_nothing_any_more_is_listed(old, reason) -> None:
    account = translated({"model_type": "VqVae", **old})
    (row,) = (row for row in account.listed if row.old == list(old)[-1])
    assert reason in row.reason


# --- nothing is dropped in silence

ALIKE = ["VqVae2", "VQVAE2", "VQVAE2_OptVQ", "vqvaeoptvq", "VQGAN", "EMAVQ", "VQVAEModel"]
VALUES = [0, 2, False, "text", "VQModel", [1, 2], None]


@pytest.mark.parametrize("model_type", ALIKE)
def test_a_setting_alone_is_mapped_or_listed_or_refused(model_type) -> None:
    for name in (*tables.KNOWN, "model_args.never_heard_of", "anything"):
        for value in VALUES:
            assert _accounts_for(name, override({"model_type": model_type}, nest(name, value)))


def _accounts_for(name: str, old: Tree) -> bool:
    try:
        account = translate(old)
    except ConfigError as error:
        return name.split(".")[-1] in str(error)
    return name in {row.old for row in (*account.mapped, *account.listed)}

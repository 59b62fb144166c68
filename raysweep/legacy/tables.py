"""The earlier system's names and what they became: data.

Old names are dotted paths of a param.json. Which tables a file is read by depends on its model (`FAMILIES`),
its quantizer (`QUANTIZERS`) and whose losses it is trained with (`RECIPES`). What an old `model_type` stands
for is `raysweep.models.ALIASES`.
"""

from typing import Any

from raysweep.legacy.rules import (
    Rules,
    Sets,
    above_zero,
    all_under,
    gone,
    one_of,
    only,
    synonyms,
    to,
)
from raysweep.schema import Tree

DEFAULT_TYPE = "VqVae2"
VARIANTS = {"VQModel": "gradient", "EMAVQ": "ema"}
"""`model_args.model_variant` of a taming model -> `model.quantizer.kind`."""
PLAIN_QUANTIZERS = {
    "taming_vqgan": "gradient",
    "grouped": "ema",
    "hierarchical": "ema",
    "conv": "ema",
}
"""By `model.kind`, where neither `model_type`, `model_variant` nor a `decay` of 0 says otherwise."""

SECTIONS = ("model_type", "model_args", "train_args", "data_args", "data_process")
"""A file that has one of these at its top is of the earlier system."""

# --- converters


def _decayed(rate: Any) -> Sets:
    every = {"training.schedule": "exponential", "training.decay_every": 1000}
    return Sets({**every, "training.decay_rate": rate}, "the discriminator's rate stays, as before")


PRECISIONS: dict[Any, str] = {
    16: "fp16",
    32: "fp32",
    **dict.fromkeys(["16", "16-mixed", "16-true", "fp16"], "fp16"),
    **dict.fromkeys(["bf16", "bf16-mixed", "bf16-true"], "bf16"),
    **dict.fromkeys(["32", "32-true", "fp32"], "fp32"),
}
"""As PyTorch Lightning spells them."""
RAYS = "Ray's business now: it places the work and reads ahead by itself"
RGB = "frames are RGB: three channels"
ITS_OWN = "raysweep has losses of its own, of the same terms"

_VALIDATION = ("vaild", "valid", "val")
"""Spellings; the first is that of the documents."""

# --- every file

_TRAIN: Rules = {
    "num_steps": to("training.steps"),
    "max_epochs": to("training.epochs"),
    "lr": to("training.learning_rate"),
    "lr_decay": _decayed,
    "validation_interval": to("training.validate_every"),
    "save_interval": gone(
        "a checkpoint is written with every validation (training.validate_every)"
    ),
    "wandb_log_interval": to("training.log_every"),
    "wandb_image_interval": to("training.pictures_every"),
    "precision": to("training.precision", by=one_of(PRECISIONS)),
    "accumulate_grad_batches": to("training.accumulate"),
    "gradient_clip_val": to("training.clip_norm"),
    "disc_every": to("loss.disc_every"),
    "max_images": to("data.max_validation_frames"),
    "folder_name": to("storage", note="the folder of experiments, which --storage overrules"),
    "checkpoint_path": to("model.checkpoint"),
    "devices": to("cluster.workers", by=lambda v: len(v) if isinstance(v, list) else v),
    "resume": gone("`raysweep resume` goes on with an experiment"),
}
_DATA: Rules = {
    "batch_size": to("data.batch_size"),
    "sequence_length": to("data.clip_length"),
    "seed": to("seed"),
    "training_data_files": to("data.source"),
    "validation_data_files": to("data.validation_source"),
    "data_dir": to("data.source"),
    "val_split": to("data.valid_fraction"),
    "random_shuffle": gone("every epoch visits the clips in an order of its own"),
    **synonyms("num_threads device_id shard_id num_shards initial_prefetch_size", gone(RAYS)),
}
_SWANLAB: Rules = {
    "project": to("tracking.swanlab_project"),
    "experiment_name": to("tracking.swanlab_experiment"),
    "tags": to("tracking.swanlab_tags"),
    "notes": to("tracking.swanlab_notes"),
    "host": to("tracking.swanlab_host"),
    "config": gone("all settings of a run are shown beside its figures"),
}
COMMON: Rules = {
    **all_under("train_args", _TRAIN),
    **all_under("data_args", _DATA),
    "data_process.train": to("data.source"),
    **all_under("data_process", dict.fromkeys(_VALIDATION, to("data.validation_source"))),
    "use_images": to("data.images"),
    "use_wandb": to("tracking.wandb"),
    "project_name": to("tracking.wandb_project"),
    "job_type": to("tracking.wandb_job_type"),
    "id_name": gone("a trial draws its W&B run id once and goes on under it when resumed"),
    "use_swanlab": to("tracking.swanlab"),
    **all_under("swanlab", _SWANLAB),
}

# --- by model.kind, under model_args

_SIZES: Rules = {
    **synonyms("vocab_size n_embed nb_entries num_embeddings", to("model.quantizer.codebook_size")),
    **synonyms("n_init embed_dim embedding_dim", to("model.quantizer.embedding_dim")),
}
_RGB: Rules = synonyms("input_channels output_channels in_channels out_ch", only(3, RGB))
_RGB_OF_TAMING: Rules = {
    **synonyms("input_channels in_channels", to("model.in_channels", by=one_of({3: 3}))),
    **synonyms("output_channels out_ch", to("model.out_ch", by=one_of({3: 3}))),
}
_HIDDEN: Rules = synonyms("n_hid hidden_channels hidden", to("model.hidden"))
_DDCONFIG: Rules = {
    **{
        name: to(f"model.{name}")
        for name in (
            [
                "double_z",
                "z_channels",
                "ch",
                "ch_mult",
                "num_res_blocks",
                "attn_resolutions",
                "dropout",
            ]
        )
    },
    **_RGB_OF_TAMING,
    "resolution": to("model.resolution", "data.resolution"),
}
_TAMING: Rules = {
    **_RGB_OF_TAMING,
    **all_under("ddconfig", _DDCONFIG),
    "learning_rate": to("training.learning_rate"),
    "ckpt_path": to("model.checkpoint"),
    **synonyms("image_key colorize_nlabels monitor", gone("of PyTorch Lightning's own logs")),
}
_GROUPED: Rules = {
    **_HIDDEN,
    "group_count": to("model.group_count"),
    "n_blk_per_group": to("model.blocks_per_group"),
}
_HIERARCHICAL: Rules = {
    **_HIDDEN,
    "res_channels": to("model.res_channels"),
    "nb_res_layers": to("model.nb_res_layers"),
    "nb_levels": gone("model.scaling_rates has an entry per level"),
    "scaling_rates": to("model.scaling_rates"),
}
_CONV: Rules = {
    "latent_channels": to("model.latent_channels"),
    "encoder_channels": to("model.encoder_channels"),
    "decoder_channels": to("model.decoder_channels"),
    "num_res_blocks": to("model.num_res_blocks"),
    "lambda_rec": to("loss.pixel_weight"),
    "lambda_perc": to("loss.perceptual_weight"),
    "lambda_gan": to("loss.disc_weight"),
    "use_lpips": to("loss.perceptual_net", by=one_of({True: "vgg", False: "none"})),
    "learning_rate": to("training.learning_rate"),
    "betas": to("training.betas"),
    "weight_decay": to("training.weight_decay"),
    "log_every_n_steps": to("training.log_every"),
    "log_images_every_n_steps": to("training.pictures_every"),
}


def _family(rules: Rules) -> Rules:
    return all_under("model_args", {**_SIZES, **_RGB, **rules})


FAMILIES: dict[str, Rules] = {
    "taming_vqgan": _family(_TAMING),
    "grouped": _family(_GROUPED),
    "hierarchical": {
        **_family(_HIERARCHICAL),
        "scaling_rates": to("model.scaling_rates"),  # at the top, as one of the documents has it
    },
    "conv": _family(_CONV),
}

# --- by model.quantizer.kind, under model_args

_COMMITMENT: Rules = synonyms("commitment_cost lambda_commit", to("model.quantizer.beta"))
_EMA: Rules = {
    **_COMMITMENT,
    "decay": to("model.quantizer.decay"),
    "lambda_vq": gone("a codebook that is a moving average has no loss of its own"),
}
_GRADIENT: Rules = {
    **_COMMITMENT,
    "decay": gone("the codebook is trained by gradient: nothing decays"),
    "lambda_vq": to("loss.codebook_weight", by=above_zero),
}
_OPTVQ: Rules = {
    "epsilon": to("model.quantizer.epsilon"),
    "n_iters": to("model.quantizer.iterations"),
    "normalize_mode": to("model.quantizer.normalize"),
    "use_prob": to("model.quantizer.use_prob"),
    "beta": to("model.quantizer.beta"),
    "loss_q_type": to("model.quantizer.loss"),
    "use_proj": to("model.quantizer.use_proj"),
    "num_head": to("model.quantizer.heads"),
    "commitment_cost": gone("OptVQ's loss is weighed by `beta` alone"),
    "decay": gone("OptVQ's codebook is trained by gradient: nothing decays"),
}
QUANTIZERS: dict[str, Rules] = {
    "ema": all_under("model_args", _EMA),
    "gradient": all_under("model_args", _GRADIENT),
    "optvq": all_under("model_args", _OPTVQ),
}

# --- by the losses a run was trained with

_LOSSCONFIG: Rules = {
    "target": gone(ITS_OWN),
    "params.disc_start": to("loss.disc_start"),
    "params.disc_factor": to("loss.disc_factor"),
    "params.disc_weight": to("loss.disc_weight"),
    "params.codebook_weight": to("loss.codebook_weight"),
    "params.perceptual_weight": to("loss.perceptual_weight"),
    "params.pixelloss_weight": to(
        "loss.pixel_weight", note="taming's code never read it; here it counts"
    ),
    "params.disc_loss": to("loss.gan", by=one_of({"hinge": "hinge", "vanilla": "vanilla"})),
    "params.disc_num_layers": to("discriminator.layers"),
    "params.disc_ndf": to("discriminator.ch"),
    "params.disc_in_channels": only(3, RGB),
    "params.disc_conditional": only(False, "images come without a condition to judge them by"),
    "params.use_actnorm": to("discriminator.norm", by=one_of({True: "actnorm", False: "batch"})),
}
_LOSS_CALCULATOR: Rules = {
    "disc_start": to("loss.disc_start"),
    "disc_factor": to("loss.disc_factor"),
    "disc_lr": to("training.disc_learning_rate"),
    "disc_beta1": to("training.disc_betas[0]"),
    "disc_beta2": to("training.disc_betas[1]"),
    "pixel_loss_factor": to("loss.pixel_weight"),
    "perceptual_loss_factor": to("loss.perceptual_weight"),
}


_TAMING_HAS_ITS_OWN = gone(
    "a taming model is trained with its lossconfig, both optimizers at its learning rate"
)
_LOSSCONFIG_UNUSED = gone("use_taming_loss is false: the weights in train_args hold")
_MSE_ALONE = gone("without a GAN the loss was the squared error and the codebook's")
_WEIGHTS = ("pixel_loss_factor", "perceptual_loss_factor")

RECIPES: dict[str, Rules] = {
    "taming": {
        **all_under("model_args.lossconfig", _LOSSCONFIG),
        **dict.fromkeys(all_under("train_args", _LOSS_CALCULATOR), _TAMING_HAS_ITS_OWN),
    },
    "classic": {
        **dict.fromkeys(all_under("model_args.lossconfig", _LOSSCONFIG), _LOSSCONFIG_UNUSED),
        **all_under("train_args", _LOSS_CALCULATOR),
    },
    "lightning": {},
}
"""`taming`: the model's lossconfig; `classic`: LossCalculator; `lightning`: VQVAEModel's lambdas."""
WITHOUT_GAN: dict[str, Rules] = {
    "taming": {"model_args.lossconfig.params.disc_weight": gone("use_gan is false")},
    "classic": dict.fromkeys((f"train_args.{name}" for name in _WEIGHTS), _MSE_ALONE),
    "lightning": {},
}
"""Over RECIPES where `train_args.use_gan` is false."""
NO_GAN: dict[str, Tree] = {
    "taming": {"loss.disc_weight": 0.0},
    "classic": {"loss.disc_weight": 0.0, "loss.pixel": "l2", "loss.perceptual_weight": 0.0},
    "lightning": {},
}
"""What `use_gan: false` comes to."""

SUPERSEDED = {
    "train_args.lr": ("model_args.learning_rate",),
    "model_args.commitment_cost": ("model_args.lambda_commit",),
    "model_args.ckpt_path": ("train_args.checkpoint_path",),
    "data_args.training_data_files": ("data_process.train",),
    "data_args.validation_data_files": tuple(f"data_process.{v}" for v in _VALIDATION),
}
"""Settings that count for nothing beside one of those named."""

TRAINING_FOOTAGE = ("data_process.train", "data_args.training_data_files")
VALIDATION_FOOTAGE = (
    *(f"data_process.{name}" for name in _VALIDATION),
    "data_args.validation_data_files",
)
FOOTAGE = (*TRAINING_FOOTAGE, *VALIDATION_FOOTAGE, "data_args.data_dir")
"""Settings that another source replaces together."""
STORAGE = ("train_args.folder_name",)
TOGETHER = "trials of an experiment lie together, in the folder that --storage names"
INSTEAD_OF = {"training.steps": "training.epochs", "training.epochs": "training.steps"}
"""Two settings of ours of which a run has one."""
CHOICES = (
    "model_type",
    "model_args.model_variant",
    *(f"train_args.{name}" for name in ("use_gan", "use_taming_loss", "device", "accelerator")),
)
"""Settings that decide which tables a file is read by, or that need to know the machine."""
KNOWN: list[str] = sorted(
    {
        *CHOICES,
        *COMMON,
        *(
            name
            for table in (FAMILIES, QUANTIZERS, RECIPES)
            for rules in table.values()
            for name in rules
        ),
    }
)
"""Every old setting that has a meaning, or had one."""

"""What held in the earlier system where a file says nothing, in our settings: data."""

from raysweep.schema import Tree

_EVERY: Tree = {"data.resolution": 256, "data.max_validation_frames": 10_000, "loss.disc_every": 3}
_DECAY: Tree = {
    "training.schedule": "exponential",
    "training.decay_rate": 0.99,
    "training.decay_every": 1000,
}
OF_RECIPE: dict[str, Tree] = {
    "taming": {
        **_EVERY,
        **_DECAY,
        "training.steps": 100_000,
        "training.betas": [0.5, 0.9],
        "loss.disc_start": 10_000,
        "loss.disc_weight": 0.8,
        "loss.codebook_weight": 1.0,
    },
    "classic": {
        **_EVERY,
        **_DECAY,
        "loss.preset": "classic",
        "training.steps": 100_000,
        "training.learning_rate": 1e-3,
        "training.betas": [0.9, 0.999],
        "training.disc_learning_rate": 1e-5,
        "training.disc_betas[0]": 0.5,
        "training.disc_betas[1]": 0.9,
        "loss.disc_start": 20_000,
        "loss.disc_factor": 1.0,
        "loss.pixel_weight": 1.0,
        "loss.perceptual_weight": 1.0,
    },
    "lightning": {
        **_EVERY,
        "data.images": True,
        "data.clip_length": 1,
        "training.steps": 100_000,
        "training.learning_rate": 2e-4,
        "training.betas": [0.9, 0.99],
        "training.weight_decay": 0.0,
        "training.log_every": 100,
        "training.pictures_every": 500,
        "loss.pixel_weight": 1.0,
        "loss.perceptual_weight": 0.5,
        "loss.disc_weight": 0.0,
        "loss.disc_start": 0,
        "loss.adaptive": False,
    },
}
_CONV_CODEBOOK: Tree = {
    "model.quantizer.codebook_size": 1024,
    "model.quantizer.embedding_dim": 256,
}
_VQVAE2: Tree = {
    "model.hidden": 128,
    "model.res_channels": 64,
    "model.nb_res_layers": 2,
    "model.scaling_rates": [4, 2],
    "model.quantizer.embedding_dim": 64,
    "model.quantizer.codebook_size": 512,
}
OF_MODEL: dict[tuple[str, str], Tree] = {
    ("hierarchical", "ema"): _VQVAE2,
    ("hierarchical", "gradient"): _VQVAE2,
    ("hierarchical", "optvq"): {
        "model.hidden": 128,
        "model.res_channels": 32,
        "model.nb_res_layers": 2,
        "model.scaling_rates": [8, 4, 2],
        "model.quantizer.embedding_dim": 64,
        "model.quantizer.codebook_size": 512,
    },
    ("conv", "ema"): _CONV_CODEBOOK,
    ("conv", "gradient"): _CONV_CODEBOOK,
}
OF_QUANTIZER: dict[str, Tree] = {
    "ema": {"model.quantizer.beta": 0.25, "model.quantizer.decay": 0.99},
    "gradient": {"model.quantizer.beta": 0.25},
    "optvq": {
        "model.quantizer.epsilon": 10.0,
        "model.quantizer.iterations": 5,
        "model.quantizer.normalize": "all",
        "model.quantizer.use_prob": True,
        "model.quantizer.beta": 1.0,
        "model.quantizer.loss": "ce",
        "model.quantizer.use_proj": True,
    },
}

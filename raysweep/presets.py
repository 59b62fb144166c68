"""Published recipes, as settings: `loss.preset` lays one under what the config file, the search space and
--set say, over the defaults. A recipe has no code of its own.

They leave the tokenizer alone, and the number of steps: their `disc_start` is a step of a long run.
"""

from raysweep.schema import Tree

PRESETS: dict[str, Tree] = {
    # Esser et al. 2021 as published: VQLPIPSWithDiscriminator.
    "taming": {
        "loss": {
            "pixel": "l1",
            "perceptual_net": "vgg",
            "perceptual_weight": 1.0,
            "codebook_weight": 1.0,
            "gan": "hinge",
            "disc_weight": 0.8,
            "disc_factor": 1.0,
            "disc_every": 1,
        }
    },
    # The LossCalculator of the system before this one. Two things of it are mended: the adaptive weight is
    # measured at the last layer's weight (it was the bias), and a GAN from step 0 on has no ramp (it
    # divided by zero).
    "classic": {
        "loss": {
            "pixel": "l1",
            "perceptual_net": "vgg",
            "perceptual_weight": 1.0,
            "codebook_weight": 1.0,
            "gan": "hinge",
            "disc_start": 20_000,
            "disc_every": 3,
            "disc_weight": 0.8,
            "disc_factor": 1.0,
            "disc_ramp": 2.0,
            "disc_noise": 0.01,
            "adaptive": True,
            "adaptive_cap": 1e2,
        },
        "training": {
            "optimizer": "adam",
            "learning_rate": 1e-3,
            "betas": (0.9, 0.999),
            "schedule": "exponential",
            "decay_rate": 0.99,
            "decay_every": 1000,
            "disc_learning_rate": 1e-5,
            "disc_betas": (0.5, 0.9),
        },
    },
    # Weber et al. 2024, "MaskBit", section 3 and its authors' configuration. They weigh L2 by 4 for pixels in
    # [0, 1], which is 1 in [-1, 1]. Their perceptual loss compares ResNet50's logits; LPIPS stands here with
    # the same weight, so its results are not theirs. The cosine moves the autoencoder's rate alone.
    "vqgan_plus": {
        "loss": {
            "pixel": "l2",
            "pixel_weight": 1.0,
            "perceptual_net": "vgg",
            "perceptual_weight": 0.1,
            "codebook_weight": 1.0,
            "gan": "hinge",
            "disc_start": 20_000,
            "disc_every": 1,
            "disc_weight": 0.02,
            "disc_factor": 1.0,
            "adaptive": False,
            "lecam_weight": 0.001,
            "lecam_decay": 0.999,
        },
        "training": {
            "optimizer": "adamw",
            "learning_rate": 1e-4,
            "betas": (0.9, 0.999),
            "weight_decay": 1e-4,
            "schedule": "cosine",
            "warmup_steps": 5000,
            "clip_norm": 1.0,
            "weight_ema": 0.999,
        },
        "discriminator": {"kind": "blur", "ch": 128, "layers": 4},
    },
    # Luo et al. 2024, "Open-MAGVIT2", and its authors' configuration, whose generator is judged by the
    # non-saturating loss beside a hinge discriminator. The entropy terms of its codes are the quantizer's.
    "open_magvit2": {
        "loss": {
            "pixel": "l1",
            "perceptual_net": "vgg",
            "perceptual_weight": 1.0,
            "gan": "hinge",
            "generator_gan": "non_saturating",
            "disc_start": 0,
            "disc_every": 1,
            "disc_weight": 0.1,
            "disc_factor": 1.0,
            "adaptive": False,
            "lecam_weight": 0.05,
            "lecam_decay": 0.999,
        },
        "training": {"learning_rate": 1e-4, "betas": (0.5, 0.9), "weight_ema": 0.999},
    },
    # Sun et al. 2024, "LlamaGen", section 2.1 and its authors' training script.
    "llamagen": {
        "loss": {
            "pixel": "l2",
            "perceptual_net": "vgg",
            "perceptual_weight": 1.0,
            "codebook_weight": 1.0,
            "gan": "hinge",
            "disc_start": 20_000,
            "disc_every": 1,
            "disc_weight": 0.5,
            "disc_factor": 1.0,
            "adaptive": False,
        },
        "training": {"learning_rate": 1e-4, "betas": (0.9, 0.95), "clip_norm": 1.0},
    },
}
"""`loss.preset` -> settings of a run, by section."""

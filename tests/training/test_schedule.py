"""Learning rates by step."""

import pytest

from raysweep.training import TrainingConfig
from raysweep.training.schedule import factor, set_learning_rates
from tests.tiny import tiny_parts, tiny_run

FACTORS = [
    ({}, {0: 1.0, 50: 1.0, 99: 1.0}),
    ({"warmup_steps": 4}, {0: 0.25, 1: 0.5, 3: 1.0, 4: 1.0, 99: 1.0}),
    ({"schedule": "cosine"}, {0: 1.0, 50: 0.55, 100: 0.1, 200: 0.1}),
    (
        {"schedule": "exponential", "decay_rate": 0.5, "decay_every": 10},
        {0: 1.0, 9: 1.0, 10: 0.5, 25: 0.25},
    ),
    ({"schedule": "cosine", "warmup_steps": 100}, {0: 0.01, 49: 0.5 * 0.5641, 99: 0.1002}),
]


@pytest.mark.parametrize(("settings", "expected"), FACTORS)
def test_factor(settings, expected) -> None:
    config = TrainingConfig(steps=100, **settings)
    seen = {step: factor(config, step) for step in expected}
    assert seen == pytest.approx(expected, abs=1e-4)


RATES = [
    ({}, 1e-3, 1e-3),
    ({"training.disc_learning_rate": 2e-4}, 1e-3, 2e-4),
    ({"training.warmup_steps": 10}, 4e-4, 1e-3),
]


@pytest.mark.parametrize(("changes", "autoencoder", "discriminator"), RATES)
def test_each_optimizer_has_its_rate(changes, autoencoder, discriminator) -> None:
    parts = tiny_parts(changes)
    parts.state.step = 3
    set_learning_rates(parts.state, tiny_run(changes).training)
    assert parts.state.optimizer.param_groups[0]["lr"] == pytest.approx(autoencoder)
    assert parts.state.disc_optimizer.param_groups[0]["lr"] == pytest.approx(discriminator)

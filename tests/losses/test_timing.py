"""When the GAN does what, step by step."""

import pytest

from raysweep.losses import LossConfig

LEARNS = [
    pytest.param({"disc_start": 3, "disc_every": 1}, "000111", "000111", id="every step from 3"),
    pytest.param({"disc_start": 1, "disc_every": 3}, "010010", "011111", id="every third from 1"),
    pytest.param({"disc_start": 0.5, "disc_every": 1}, "000111", "000111", id="a share of the run"),
    pytest.param(
        {"disc_start": 1, "disc_every": 1, "disc_warmup_steps": 2}, "011111", "000111", id="warm-up"
    ),
    pytest.param({"disc_start": 0, "disc_weight": 0.0}, "000000", "000000", id="no GAN"),
]


@pytest.mark.parametrize(("settings", "learns", "judges"), LEARNS)
def test_the_discriminator_learns_and_judges(settings, learns, judges) -> None:
    timing = LossConfig(**settings).gan_timing(6)
    assert "".join(str(int(timing.learns(step))) for step in range(6)) == learns
    assert "".join(str(int(timing.judges(step))) for step in range(6)) == judges


LOUDNESS = [
    pytest.param({"disc_start": 10}, {10: 1.0, 11: 1.0}, id="none"),
    pytest.param(
        {"disc_start": 10, "disc_ramp": 4}, {10: 0.0, 12: 0.5, 14: 1.0, 99: 1.0}, id="steps"
    ),
    pytest.param({"disc_start": 10, "disc_ramp": 2.0}, {10: 0.0, 20: 0.5, 30: 1.0}, id="classic"),
    pytest.param({"disc_start": 0, "disc_ramp": 2.0}, {0: 1.0}, id="classic from the start"),
    pytest.param(
        {"disc_start": 10, "disc_ramp": 4, "disc_warmup_steps": 5}, {15: 0.0, 17: 0.5}, id="warm-up"
    ),
]


@pytest.mark.parametrize(("settings", "expected"), LOUDNESS)
def test_the_weight_rises_from_where_the_verdict_counts(settings, expected) -> None:
    timing = LossConfig(**settings).gan_timing(100)
    assert {step: timing.loudness(step) for step in expected} == pytest.approx(expected)


def test_noise_has_gone_at_half_of_the_run() -> None:
    timing = LossConfig().gan_timing(100)
    assert [timing.noise_share(step) for step in (0, 25, 50, 99)] == [1.0, 0.5, 0.0, 0.0]


def test_a_penalty_comes_with_every_nth_update_of_the_discriminator() -> None:
    settings = {"disc_start": 2, "disc_every": 3, "r1_weight": 1.0, "r1_every": 2}
    timing = LossConfig(**settings).gan_timing(100)
    assert [step for step in range(16) if timing.penalized(step)] == [2, 8, 14]
    assert not any(LossConfig(disc_start=0).gan_timing(100).penalized(step) for step in range(9))

"""The benchmark of searches: what its learning curves promise, and that a played sweep counts right."""

import math
from itertools import pairwise

import numpy as np
import pytest
import search
from hypothesis import given, settings
from hypothesis import strategies as st
from searching.curves import KINDS, STEPS, VALIDATE_EVERY, World
from searching.play import Asked, play
from searching.space import Draw, Neighbour
from searching.yardstick import yardstick

AT = range(VALIDATE_EVERY, STEPS + 1, VALIDATE_EVERY)
SEEDS = st.integers(1000, 2000)


def drawn(world: World, seed: int) -> dict:
    draw = Draw(np.random.default_rng(seed))
    world.kind.space(draw)
    return draw.settings


@settings(deadline=None, max_examples=50)
@given(kind=st.sampled_from(list(KINDS)), world=SEEDS, seed=SEEDS)
def test_curves_are_finite_and_improve_until_the_discriminator_joins(kind, world, seed):
    world = World(kind, world)
    asked = drawn(world, seed)
    start = asked.get("loss.disc_start", 1) * STEPS
    curves = [world.curves(asked, step) for step in AT]
    assert all(math.isfinite(value) for curve in curves for value in curve.values())
    for (_, before), (step, after) in pairwise(zip(AT, curves, strict=True)):
        if step <= start:
            assert after["val/psnr"] > before["val/psnr"]
            assert after["val/lpips"] < before["val/lpips"]
    assert all(curve["val/lpips"] > 0 for curve in curves)


@settings(deadline=None, max_examples=50)
@given(kind=st.sampled_from(["gan", "psnr"]), world=SEEDS, seed=SEEDS)
def test_the_discriminator_drops_psnr_which_recovers_in_part(kind, world, seed):
    world = World(kind, world)
    asked = {**drawn(world, seed), "loss.disc_start": 0.3}
    without, dip, end = (
        world.curves({**asked, "loss.disc_start": start}, step)["val/psnr"]
        for start, step in ((0.9, 7000), (0.3, 7000), (0.3, STEPS))
    )
    assert dip < without
    assert dip < end


def test_a_run_is_a_function_of_world_number_and_settings():
    world, asked = World("gan", 1000), drawn(World("gan", 1000), 1)
    told = [world.run(number, asked).metrics(VALIDATE_EVERY) for number in (3, 3, 4)]
    assert told[0] == told[1] != told[2]
    assert told[0] != World("gan", 1001).run(3, asked).metrics(VALIDATE_EVERY)


def test_a_diverged_run_reports_nan_ever_after():
    world = World("plain", 1000)
    asked = {**drawn(world, 1), "training.learning_rate": 1e-2}
    for run in (world.run(number, asked) for number in range(10)):
        diverged = [math.isnan(run.metrics(step)["val/psnr"]) for step in AT]
        assert diverged == sorted(diverged)
    assert any(math.isnan(world.run(n, asked).metrics(STEPS)["val/psnr"]) for n in range(10))


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_drawn_is_better_than_the_optimum(kind):
    world = World(kind, 1000)
    scores = [world.final(drawn(world, seed)) for seed in range(1000)]
    assert max(scores) < yardstick(world).optimum
    assert yardstick(world).closed(float(np.median(scores))) == pytest.approx(0, abs=0.1)
    assert yardstick(world).closed(yardstick(world).optimum) == 1


@settings(deadline=None, max_examples=50)
@given(seed=SEEDS, scale=st.floats(0.001, 1))
def test_a_neighbour_is_in_the_space(seed, scale):
    world = World("gan", 1000)
    near = Neighbour(np.random.default_rng(seed), drawn(world, seed), scale)
    world.kind.space(near)
    assert 0.05 <= near.settings["loss.disc_start"] <= 0.9
    assert 1e-5 <= near.settings["training.learning_rate"] <= 1e-2


class Script:
    """Trials that are paused once after `pause` steps, at most `trials` of them."""

    def __init__(self, world: World, trials: int, pause: int = 0) -> None:
        self.settings, self.pause = drawn(world, 1), pause
        self.line = [str(number) for number in range(trials)]
        self.told: list[tuple[str, int]] = []
        self.ended: list[str] = []

    def propose(self):
        return Asked(self.line.pop(0), self.settings) if self.line else None

    def report(self, trial, step, metrics):
        self.told.append((trial, step))
        if step == self.pause:
            self.line.append(trial)
        return step != self.pause

    def end(self, trial):
        self.ended.append(trial)


@pytest.mark.parametrize("workers", [1, 3, 8])
@pytest.mark.parametrize("pause", [0, 2000])
def test_every_step_is_counted_once(workers, pause):
    world = World("plain", 1000)
    script = Script(world, 5, pause)
    outcome = play(script, world, workers, 100 * STEPS)
    assert sorted(script.told) == sorted((str(n), step) for n in range(5) for step in AT)
    assert (outcome.steps, outcome.trials, outcome.finished) == (5 * STEPS, 5, 5)
    assert len(script.ended) == 5 * (2 if pause else 1)


@settings(deadline=None, max_examples=50)
@given(
    workers=st.integers(1, 70),
    intervals=st.integers(0, 300),
    rest=st.integers(0, VALIDATE_EVERY - 1),
)
def test_the_budget_is_spent_and_not_exceeded(workers, intervals, rest):
    world = World("plain", 1000)
    script = Script(world, 1000)
    outcome = play(script, world, workers, intervals * VALIDATE_EVERY + rest)
    assert outcome.steps == intervals * VALIDATE_EVERY
    assert len(script.told) == intervals


def test_what_never_finished_leaves_the_whole_gap():
    world = World("plain", 1000)
    outcome = play(Script(world, 3), world, 3, STEPS)
    assert (outcome.finished, outcome.to_target, outcome.regret) == (0, None, 1.0)


# steps at the median and share that reached the target, of ours and of stock -> figure and verdict at 0.6
BARS = [
    ((50, 0.9), (100, 0.8), "0.5", "holds"),
    ((90, 0.9), (100, 0.8), "0.9", "MISSED"),
    ((50, 0.9), (100, 0.1), "at most 0.5", "holds"),
    ((90, 0.9), (100, 0.1), "at most 0.9", "open"),
    ((100, 0.1), (80, 0.9), "at least 1.25", "MISSED"),
    ((100, 0.1), (100, 0.0), "not measurable", "open"),
]


@pytest.mark.parametrize(("ours", "stock", "figure", "verdict"), BARS)
def test_a_median_that_is_the_budget_is_no_figure(ours, stock, figure, verdict):
    of_ours, of_stock = (
        search.Summary(median, median, reached, 0, 0, 0) for median, reached in (ours, stock)
    )
    bar = search.steps_bar("steps", of_ours, of_stock, 0.6)
    assert (bar.figure, bar.verdict) == (figure, verdict)

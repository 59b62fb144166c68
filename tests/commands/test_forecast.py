"""What `sweep --estimate` says a sweep takes: the arithmetic by a given pace, and the pace by the loop itself."""

import sys

import pytest
import torch

from raysweep.commands import forecast
from raysweep.commands.pace import Pace, pace, seconds_of
from raysweep.spelling import in_time
from tests.tiny import tiny_run

ESTIMATE = ["sweep", "smoke", "--estimate"]
PACE = Pace(step=100.0, gan_step=200.0, validation=1.0, checkpoint=10.0)

# settings, clips of the validation set -> seconds of a trial, by PACE
TRIALS = [
    ({"loss.disc_weight": 0.0}, 0, 6 * 100 + 2 * 10),
    ({"loss.disc_start": 2}, 0, 2 * 100 + 4 * 200 + 2 * 10),
    ({"loss.disc_start": 0.5}, 0, 3 * 100 + 3 * 200 + 2 * 10),
    ({"loss.disc_start": 9}, 0, 6 * 100 + 2 * 10),
    ({"loss.disc_start": 0}, 8, 6 * 200 + 2 * (10 + 8)),
    ({"loss.disc_start": 0, "cluster.workers": 2}, 8, 6 * 200 + 2 * (10 + 4)),
    ({"loss.disc_start": 0, "training.validate_every": 4}, 0, 6 * 200 + 2 * 10),
]


@pytest.mark.parametrize(("changes", "clips", "seconds"), TRIALS)
def test_a_trial_lasts_its_steps_and_its_validations(changes, clips, seconds) -> None:
    assert seconds_of(tiny_run(changes), PACE, clips) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("start", "is_met"), [(0, (False, True)), (3, (True, True)), (6, (True, False))]
)
def test_the_loop_is_timed_before_and_with_the_gan(start, is_met) -> None:
    """Each only where the run comes to it; torch's threads stay what they were."""
    threads = torch.get_num_threads()
    found = pace(tiny_run({"loss.disc_start": start}), torch.device("cpu"))
    assert (found.step > 0, found.gan_step > 0) == is_met
    assert found.validation > 0
    assert found.checkpoint > 0
    assert torch.get_num_threads() == threads


@pytest.fixture
def _paced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps of 45 s for every channel; no Ray, and two trials at a time."""
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setattr(forecast, "pace", lambda run, device: Pace(45.0 * run.model.ch, 0, 0, 0))
    monkeypatch.setattr(forecast.torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(forecast, "at_once", lambda sweep, capacity: 2)


SPACE = """
base:
  data: {source: demo, resolution: 32, clip_length: 2, batch_size: 4}
  model: {kind: taming_vqgan, ch: 32, ch_mult: [1, 2, 2], num_res_blocks: 1, attn_resolutions: []}
  loss: {perceptual_net: none, disc_weight: 0}
  training: {steps: 20, validate_every: 5}
sweep: {budget: {trials: 6}}
question: How wide?
space:
  model.ch: {values: [32, 64, 96]}
"""


@pytest.mark.usefixtures("_paced")
def test_a_sweep_lies_between_its_cheapest_and_its_dearest_trial(run, folder, monkeypatch) -> None:
    """32 channels: 8 h a trial; 96: 24 h. Six of them, two at a time."""
    (folder / "wide.yaml").write_text(SPACE)
    monkeypatch.setenv("RAY_ADDRESS", "nobody asks")
    monkeypatch.setattr(forecast, "_capacity", lambda: "all there is")
    words = ["sweep", "wide.yaml", "--estimate", "--set", "cluster.gpus_per_worker=0.5"]
    code, out, error = run(*words, "--price", "2")
    assert (code, error) == (0, "")
    assert "cheapest: 8.0 h for 20 steps" in out
    assert "dearest: 24.0 h for 20 steps" in out
    assert "6 trials, 2 at a time on all there is" in out
    assert "none is stopped early: 24.0 h to 3.0 days, 24 to 72 GPU hours, $48.00 to $144.00" in out
    assert "leaves two thirds of the steps: 16.0 h to 2.0 days, 16 to 48 GPU hours" in out
    assert "the footage is not prepared yet" in out
    assert [path.name for path in folder.iterdir()] == ["wide.yaml"]


@pytest.mark.usefixtures("_paced")
def test_what_is_never_stopped_is_counted_in_full(run, folder) -> None:
    (folder / "wide.yaml").write_text(SPACE)
    split = "data={source: demo, split: time, test_fraction: 0.2}"
    confirmed = ["--set", split, "--set", "confirm={top: 1, seeds: 3}"]
    out = run("sweep", "wide.yaml", "--estimate", *confirmed).out
    assert "stopped early: 36.0 h to 4.5 days\n" in out
    assert "two thirds of the steps: 28.0 h to 3.5 days\n" in out
    assert "3 of the trials confirm the best" in out
    alone = run("sweep", "wide.yaml", "--estimate", "--set", "scheduler.kind=none").out
    assert "two thirds" not in alone


REFUSED = [
    (["sweep", "smoke", "--price", "2"], "--estimate"),
    ([*ESTIMATE, "--price", "2"], "cluster.gpus_per_worker"),
    ([*ESTIMATE, "--set", "training.epochs=2"], "raysweep prepare"),
    ([*ESTIMATE, "--dry-run"], "--dry-run"),
]


@pytest.mark.parametrize(("words", "said"), REFUSED, ids=str)
def test_what_cannot_be_estimated_is_refused(run, words, said) -> None:
    code, _, error = run(*words)
    assert code == 2
    assert said in error


def test_a_gpu_that_is_not_here_cannot_be_timed(run, monkeypatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "nobody asks")
    monkeypatch.setattr(forecast.torch.cuda, "is_available", lambda: False)
    code, _, error = run(*ESTIMATE, "--set", "cluster.gpus_per_worker=1")
    assert code == 2
    assert "there is none here" in error


TIMES = [(0.5, "0.5 s"), (40, "40 s"), (59.9, "1 min"), (720, "12 min"), (3599, "1.0 h")]
TIMES += [(12240, "3.4 h"), (181440, "2.1 days")]


@pytest.mark.parametrize(("seconds", "told"), TIMES)
def test_a_time_as_a_person_reads_it(seconds, told) -> None:
    assert in_time(seconds) == told

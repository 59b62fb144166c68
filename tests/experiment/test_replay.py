"""A driver that reads the log is the one that wrote it: killed anywhere, paused, or with a decision half written."""

import json
import math
from itertools import count
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from raysweep.config import SweepConfig
from raysweep.experiment.conductor import Conductor, Proposal
from raysweep.experiment.events import read
from search_spaces import smoke
from tests.experiment.played import KINDS, asked, check_complete, cuts, outcome, states
from tests.fakes import PSNR, driver, execute, known, small_sweep


class Live(NamedTuple):
    """A sweep played through, with a trial that ends early, a failure, a divergence and an added trial."""

    at_once: int
    sweep: SweepConfig
    log: bytes
    outcome: object


@pytest.fixture(
    scope="module",
    params=[(1, "asha"), (3, "asha"), (1, "promoting"), (3, "promoting"), (3, "median"), (1, "hyperband")],
    ids="{0[0]}-at-once-{0[1]}".format,
)  # fmt: skip
def live(request, tmp_path_factory) -> Live:
    at_once, kind = request.param
    sweep = small_sweep(scheduler=KINDS[kind])
    with driver(tmp_path_factory.mktemp("live") / "events.jsonl", sweep) as mind:
        mind.add({"loss.disc_weight": 0.001}, "by hand")
        play(mind, at_once)
    assert set(states(mind).values()) == {"stopped", "finished", "failed", "diverged"}
    return Live(at_once, sweep, mind.log.path.read_bytes(), outcome(mind))


QUALITY = dict(zip([f"{number:04d}" for number in range(7)], (0, 2, 3, 5, 1, 9, 4), strict=True))


def play(mind: Conductor, at_once: int) -> list[str]:
    def formula(proposal: Proposal, step: int) -> dict[str, float]:
        if proposal.trial == "0003" and step > 5:
            return {"val/ssim": 0.5}
        return {"val/psnr": step * (QUALITY[proposal.trial] + proposal.config.loss.disc_weight)}

    return execute(mind, formula, at_once, {"0002": "OSError: gone"})


def test_a_driver_killed_anywhere_is_taken_over(conductor, live, tmp_path):
    at_once, sweep, log, expected = live
    for cut in cuts(log):
        path = tmp_path / f"{cut}.jsonl"
        path.write_bytes(log[:cut])
        mind = conductor(path, sweep)
        ended = {record.trial for record in mind.trials.values() if record.ended}
        still_open = [record.trial for record in mind.trials.values() if record.is_open]
        if not mind.trials:  # the command that adds the trial adds it before it starts
            mind.add({"loss.disc_weight": 0.001}, "by hand")
        started = play(mind, at_once)
        assert started[: len(still_open)] == still_open
        assert not ended & set(started)
        assert path.read_bytes().startswith(log[:cut][: log[:cut].rfind(b"\n") + 1])
        check_complete(mind, 7)
        if at_once == 1:  # nothing depends on who ran beside whom: all comes out the same
            assert outcome(mind) == expected
        mind.log.close()


def test_a_sweep_that_is_paused_rests_and_goes_on_unchanged(conductor, live, tmp_path):
    """Asked for at some moments; a driver later, the same as if nobody had asked."""
    at_once, sweep, log, expected = live
    for number in range(0, log.count(b'"report"'), 4):
        path = tmp_path / f"{number}.jsonl"
        mind = conductor(path, sweep)
        mind.add({"loss.disc_weight": 0.001}, "by hand")
        heard = count()
        mind.requests = lambda n=number, c=heard: [asked(0, "pause")] * (next(c) >= 2 * n)
        play(mind, at_once)
        assert mind.is_over
        assert not mind.at_work
        rests = {name: record.step for name, record in mind.trials.items() if record.is_open}
        mind.log.append("opened", "")
        mind.log.close()
        again = conductor(path, sweep)
        assert again.is_suspended is False
        started = play(again, at_once)
        assert started[: len(rests)] == list(rests)
        check_complete(again, 7)
        if at_once == 1:
            assert outcome(again) == expected
        again.log.close()


def test_a_verdict_that_was_not_written_is_given(conductor, path):
    mind = conductor(path, small_sweep(scheduler={"min_peers": 1}))
    first, second = mind.propose(), mind.propose()
    mind.report(first.trial, 5, {"val/psnr": 2.0})
    mind.report(second.trial, 5, {"val/psnr": 1.0})
    mind.log.close()
    lines = path.read_bytes().splitlines(keepends=True)
    assert json.loads(lines[-1])["kind"] == "ended"
    path.write_bytes(b"".join(lines[:-1]))
    again = conductor(path, small_sweep(scheduler={"min_peers": 1}))
    assert known(again) == known(mind)
    assert again.propose().trial == first.trial
    assert again.propose().trial == "0002"


# An action each time the executor may act: start a trial, or let the n-th open one report, end or fail.
ACTIONS = st.lists(
    st.one_of(
        st.just(("propose", 0, 0.0)),
        st.tuples(st.just("report"), st.integers(0, 5), st.floats(0, 30)),
        st.tuples(st.just("report"), st.integers(0, 5), st.just(math.nan)),
        st.tuples(st.sampled_from(["end", "fail", "die"]), st.integers(0, 5), st.just(0.0)),
        st.just(("add", 0, 0.0)),
    ),
    max_size=40,
)


def act(mind: Conductor, what: str, which: int, psnr: float) -> None:
    if what == "propose":
        if (proposal := mind.propose()) is not None:
            mind.start(proposal.trial)
        return
    if what == "add":
        mind.add({"loss.disc_weight": 0.5}, "by hand")
        return
    running = [record for record in mind.trials.values() if record.state == "running"]
    if not running:
        return
    record = running[which % len(running)]
    if what == "report":
        mind.report(record.trial, record.step + 5, {"val/psnr": psnr})
    elif what == "die":
        mind.lost(record.trial, "gone")
    else:
        mind.end(record.trial, "gone" if what == "fail" else "")


@pytest.mark.parametrize("kind", KINDS)
@given(actions=ACTIONS)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_replay_is_the_live_conductor(tmp_path, kind, actions):
    sweep = small_sweep(scheduler=KINDS[kind])
    path = tmp_path / "events.jsonl"
    path.unlink(missing_ok=True)
    with driver(path, sweep) as mind:
        for action in actions:
            act(mind, *action)
    with driver(path, sweep) as again:
        assert known(again) == known(mind)
    number = len(mind.trials)
    assert again.study.propose(number) == mind.study.propose(number)


def test_the_log_is_believed_where_this_sampler_would_propose_something_else(conductor, path):
    mind = conductor(path)
    params = mind.trials[mind.propose().trial].params
    mind.log.close()
    other = {**params, "loss.disc_start": 5 + (params["loss.disc_start"] - 4) % 11}
    path.write_text(path.read_text().replace(json.dumps(params), json.dumps(other)))
    again = conductor(path)
    assert other != params
    assert again.trials["0000"].params == again.study.study.trials[0].params == other


def test_a_replay_writes_nothing(conductor, path):
    execute(conductor(path), at_once=2)
    before = path.read_bytes()
    mind = Conductor(small_sweep(), smoke.space, PSNR, _Mute(), read(path))
    assert mind.propose() is None
    assert path.read_bytes() == before


class _Mute:
    """A log that nobody may write to."""

    def append(self, kind: str, trial: str, **details: object) -> None:
        raise AssertionError(f"wrote {kind} of {trial}")

"""Sweeps that share a cluster, without one: no more runs than fits, the higher priority goes first, equals share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raysweep.cluster.leases import SECONDS, Leases, Share

CPU, GPU = Share(1, 0), Share(1, 1)
WHOLE = Share(16, 8)


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def leases(clock: Clock) -> Leases:
    return Leases(clock)


class Sweep:
    """As its driver tells it."""

    def __init__(self, leases: Leases, name: str, priority: int = 0, each: Share = GPU) -> None:
        self.leases, self.name, self.priority, self.each, self.held = (
            leases,
            name,
            priority,
            each,
            0,
        )

    def ask(self) -> bool:
        granted = self.leases.ask(self.name, self.priority, self.each, self.held, WHOLE)
        self.held += granted
        return granted

    def end_one(self) -> None:
        self.held -= 1
        self.renew()

    def renew(self, waits: bool = True) -> None:
        self.leases.renew(self.name, self.priority, self.each, self.held, waits)


def test_one_sweep_has_all(leases):
    one = Sweep(leases, "one")
    assert [one.ask() for _ in range(9)] == [True] * 8 + [False]


def test_equals_come_to_the_same_share_as_trials_end(leases):
    one, other = Sweep(leases, "one"), Sweep(leases, "other")
    while one.ask():
        pass
    assert not other.ask()
    for _ in range(20):
        max(one, other, key=lambda sweep: sweep.held).end_one()
        one.ask()
        other.ask()
    assert (one.held, other.held) == (4, 4)


def test_a_lower_priority_starts_none_while_a_higher_one_waits(leases):
    low, high = Sweep(leases, "low"), Sweep(leases, "high", priority=1)
    while low.ask():
        pass
    assert not high.ask()
    for running in range(1, 9):
        low.end_one()
        assert not low.ask()
        assert high.ask()
        assert not high.ask()
        assert (low.held, high.held) == (8 - running, running)


def test_a_higher_priority_that_has_what_it_wants_leaves_the_rest(leases):
    low, high = Sweep(leases, "low"), Sweep(leases, "high", priority=1)
    assert [high.ask(), high.ask()] == [True, True]
    assert [low.ask() for _ in range(7)] == [True] * 6 + [False]


def test_room_is_kept_for_a_large_trial_until_it_fits(leases):
    small, large = Sweep(leases, "small"), Sweep(leases, "large", each=Share(4, 4))
    for _ in range(6):
        assert small.ask()
    assert not large.ask()
    small.end_one()
    assert (small.ask(), large.ask()) == (False, False)
    small.end_one()
    assert (small.ask(), large.ask(), small.ask()) == (False, True, False)


def test_a_driver_that_died_holds_nothing_after_a_while(leases, clock):
    dead, alive = Sweep(leases, "dead", priority=1), Sweep(leases, "alive")
    while dead.ask():
        pass
    assert not alive.ask()
    clock.seconds = SECONDS
    assert [alive.ask() for _ in range(9)] == [True] * 8 + [False]


def test_a_driver_that_lives_keeps_what_it_has(leases, clock):
    one, other = Sweep(leases, "one"), Sweep(leases, "other")
    while one.ask():
        pass
    for _ in range(3):
        clock.seconds += SECONDS / 2
        one.renew()
        assert not other.ask()


def test_a_driver_that_counted_as_gone_and_lives_keeps_what_it_has(leases, clock):
    """It could not be heard for a while, and asks for nothing more."""
    one, other = Sweep(leases, "one"), Sweep(leases, "other")
    while one.ask():
        pass
    clock.seconds = SECONDS
    assert other.ask()
    one.renew()
    assert not other.ask()


def test_who_has_nothing_more_to_start_lets_lower_ones_pass(leases):
    low, high = Sweep(leases, "low"), Sweep(leases, "high", priority=1)
    while low.ask():
        pass
    assert not high.ask()
    low.end_one()
    assert not low.ask()
    high.renew(waits=False)
    assert low.ask()


def test_the_last_to_leave_is_known(leases):
    for name in ("one", "other"):
        Sweep(leases, name).ask()
    assert not leases.leave("one")
    assert leases.leave("other")
    assert leases.leave("other")


def test_leases_that_were_lost_are_learnt_again(leases):
    """As after the node of the actor: from what each driver says next."""
    one, other = Sweep(leases, "one"), Sweep(leases, "other")
    one.ask(), other.ask()
    one.leases = other.leases = Leases(leases._clock)
    assert one.ask()
    while other.ask():
        pass
    assert one.held + other.held <= 8


ACTS = st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["ask", "ask", "end"])), max_size=80)


@given(ACTS, st.lists(st.integers(0, 2), min_size=3, max_size=3))
def test_no_more_runs_than_fits_and_nobody_waits_for_ever(acts, priorities):
    leases = Leases(Clock())
    kinds = [CPU, GPU, Share(2, 4)]
    sweeps = [Sweep(leases, str(n), priorities[n], kinds[n]) for n in range(3)]
    for which, what in acts:
        if what == "ask":
            sweeps[which].ask()
        elif sweeps[which].held:
            sweeps[which].end_one()
        used = [sweep.each.times(sweep.held) for sweep in sweeps]
        assert sum(share.cpus for share in used) <= WHOLE.cpus
        assert sum(share.gpus for share in used) <= WHOLE.gpus
    for sweep in sweeps:
        while sweep.held:
            sweep.end_one()
    assert any(sweep.ask() for sweep in sorted(sweeps, key=lambda sweep: -sweep.priority))

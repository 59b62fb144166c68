"""Where rungs stand, and who is compared there, as tables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raysweep.schema import parse
from raysweep.search.schedulers import AshaConfig, Course
from raysweep.search.schedulers.ladder import Ladder, Rung


def ladder(validate_every: int = 10, **settings) -> Ladder:
    usual = {"grace": validate_every, "reduction_factor": 3, "clock": "steps"}
    return parse(AshaConfig, usual | settings).ladder(validate_every, last_step=100)


# settings, validate_every, last step -> milestones
MILESTONES = [
    ({}, 10, 100, [10, 30, 90]),
    ({}, 10, 90, [10, 30]),  # at the last step there is nothing left to save
    ({}, 100, 100, []),
    ({"reduction_factor": 2}, 1, 20, [1, 2, 4, 8, 16]),
    ({"reduction_factor": 2.5}, 4, 100, [4, 12, 28, 64]),
    ({"grace": 25}, 10, 300, [30, 80, 230]),
    (
        {"grace": 3, "reduction_factor": 1.5},
        10,
        30,
        [10, 20],
    ),  # several within a validation are one
]


@pytest.mark.parametrize(("settings", "validate_every", "last_step", "expected"), MILESTONES)
def test_rungs_stand_at_validations_by_powers_of_the_factor(settings, validate_every, last_step, expected):  # fmt: skip
    assert ladder(validate_every, **settings).milestones(last_step) == expected


def test_the_first_rung_is_at_a_fifth_of_the_run_unless_it_is_said():
    assert AshaConfig().ladder(10, 290).milestones(290) == [60, 120, 240]


# settings, first step with a GAN, last step -> what it passes: milestone, + where its GAN has begun, @ its step
PLACES = [
    ({}, 40, 100, "10@10 30@30 90@90"),
    ({"clock": "phases"}, None, 100, "10@10 30@30 90@90"),
    ({"clock": "phases"}, 40, 100, "10@10 30@30 90+@90"),
    ({"clock": "phases"}, 30, 100, "10@10 30@30 90+@90"),  # a validation at 30 is of 30 steps without
    ({"clock": "phases"}, 29, 100, "10@10 30+@30 90+@90"),
    ({"clock": "phases"}, 0, 100, "10+@10 30+@30 90+@90"),
    ({"clock": "phases"}, 200, 100, "10@10 30@30 90@90"),  # it never begins
    ({"clock": "disc_start"}, None, 100, "10@10 30@30 90@90"),
    ({"clock": "disc_start"}, 40, 100, "10@10 30@30 10+@50 30+@70"),
    ({"clock": "disc_start"}, 45, 100, "10@10 30@30 10+@60 30+@80"),
    ({"clock": "disc_start"}, 0, 100, "10+@10 30+@30 90+@90"),
    ({"clock": "disc_start"}, 90, 100, "10@10 30@30 90@90"),
    ({"clock": "phases", "settle": 60}, 29, 100, "10@10 90+@90"),
    ({"clock": "phases", "settle": 60}, 30, 100, "10@10 30@30 90+@90"),
    ({"clock": "phases", "settle": 61}, 30, 100, "10@10 30@30"),
    ({"clock": "disc_start", "settle": 20}, 40, 100, "10@10 30@30 30+@70"),
    ({"settle": 61}, 30, 100, "10@10 30@30"),
    ({"settle": 50}, None, 100, "10@10 30@30 90@90"),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "gan_from", "last_step", "expected"), PLACES)
def test_which_rungs_a_trial_passes_at_which_of_its_steps(settings, gan_from, last_step, expected):
    places = ladder(**settings).rungs(Course(last_step, gan_from))
    told = [f"{rung.milestone}{'+' * rung.after_gan}@{step}" for rung, step in places.items()]
    assert " ".join(told) == expected


@given(
    clock=st.sampled_from(["steps", "phases", "disc_start"]),
    validate_every=st.integers(1, 50),
    grace=st.integers(1, 100),
    factor=st.floats(1.1, 5),
    last_step=st.integers(1, 2000),
    gan_from=st.none() | st.integers(0, 2500),
    settle=st.integers(0, 500),
)
def test_every_rung_is_passed_at_a_validation_of_its_phase(
    clock, validate_every, grace, factor, last_step, gan_from, settle
):
    judge = Ladder(grace, factor, validate_every, clock, settle)
    places = judge.rungs(Course(last_step, gan_from))
    steps = list(places.values())
    assert steps == sorted(set(steps))
    assert all(step % validate_every == 0 and step < last_step for step in steps)
    begins = last_step if gan_from is None else gan_from
    for rung, step in places.items():
        assert rung.after_gan == (clock != "steps" and step > begins)
        assert step <= begins or step >= begins + settle


def test_trials_before_and_after_their_gan_began_share_no_rung():
    judge = ladder(clock="phases")
    early, late = (judge.rungs(Course(100, gan_from)) for gan_from in (20, 50))
    assert early.keys() & late.keys() == {Rung(10), Rung(90, after_gan=True)}

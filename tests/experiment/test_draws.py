"""What a search space is refused for before anything starts, with each kind of sampler."""

import pytest

from raysweep.errors import ConfigError
from raysweep.experiment.draws import check_space
from tests.fakes import small_sweep


def rarely_continuous(trial):
    steps = trial.suggest_int("loss.disc_start", 1, 500)
    if steps == 17:
        trial.suggest_float("loss.disc_weight", 0.1, 0.9)


def test_a_continuum_in_a_rare_branch_of_a_grid_is_refused():
    with pytest.raises(
        ConfigError, match=r"grid takes parameters with few values, and loss.disc_weight"
    ):
        check_space(small_sweep(sampler={"kind": "grid"}), rarely_continuous)
    assert len(check_space(small_sweep(sampler={"kind": "random"}), rarely_continuous, 7)) == 7


def test_a_small_space_is_drawn_whole():
    def space(trial):
        trial.suggest_categorical("loss.disc_start", [4, 5, 6])

    for kind in ("tpe", "grid"):
        assert len(check_space(small_sweep(sampler={"kind": kind}), space)) == 3


def test_several_values_are_refused_where_the_sampler_ranks_by_one():
    with pytest.raises(ConfigError, match="cmaes ranks trials by one value"):
        check_space(small_sweep(sampler={"kind": "cmaes"}), rarely_continuous, values=2)

"""Known-good settings are tried first, in order; what the space could not suggest is refused before anything starts."""

import pytest

from raysweep.errors import ConfigError
from raysweep.experiment.draws import check_points
from search_spaces import smoke
from tests.fakes import driver, execute, known, small_sweep

SIZE, START, WEIGHT = "model.quantizer.codebook_size", "loss.disc_start", "loss.disc_weight"
POINTS = [{SIZE: 128, START: 7, WEIGHT: 0.5}, {WEIGHT: 0.25}]


def test_points_come_first_and_are_completed_by_the_sampler(conductor, tmp_path):
    mind = conductor(tmp_path / "events.jsonl", small_sweep(points=POINTS))
    execute(mind)
    first, second, third = (mind.trials[trial] for trial in ("0000", "0001", "0002"))
    assert first.params == POINTS[0]
    assert second.params[WEIGHT] == 0.25
    assert second.params.keys() == first.params.keys()
    assert third.params[WEIGHT] not in (0.25, 0.5)
    assert all(record.is_searched for record in mind.trials.values())
    assert len(mind.trials) == 6


def test_an_added_trial_takes_no_point(conductor, tmp_path):
    mind = conductor(tmp_path / "events.jsonl", small_sweep(points=POINTS))
    mind.add({}, "by hand")
    execute(mind)
    assert mind.trials["0001"].params == POINTS[0]


@pytest.mark.parametrize("proposed", [0, 1, 2])
def test_a_resumed_sweep_goes_on_at_the_next_point(tmp_path, proposed):
    path, sweep = tmp_path / "events.jsonl", small_sweep(points=POINTS)
    with driver(path, sweep) as mind:
        for _ in range(proposed):
            mind.propose()
    with driver(path, sweep) as mind:
        execute(mind)
        assert mind.trials["0000"].params == POINTS[0]
        assert mind.trials["0001"].params[WEIGHT] == 0.25
        live = known(mind)
    with driver(path, sweep) as again:
        assert known(again) == live


def test_a_pinned_setting_overrules_a_point(conductor, tmp_path):
    sweep = small_sweep(points=POINTS, pinned={WEIGHT: 0.75})
    mind = conductor(tmp_path / "events.jsonl", sweep)
    assert mind.propose().config.loss.disc_weight == 0.75


REFUSED = [
    (
        {WEIGHT: 2.0},
        "point 1 must be what search space smoke can suggest, and loss.disc_weight 2.0",
    ),
    ({WEIGHT: "0.5"}, "loss.disc_weight '0.5' is no number"),
    ({SIZE: 100}, "model.quantizer.codebook_size 100 is none of 32, 64, 128"),
    ({"loss.disc_wieght": 0.5}, r"never suggests loss.disc_wieght \(did you mean loss.disc_weight"),
    ({"loss": {"disc_weight": 0.5}}, "never suggests loss"),
]


@pytest.mark.parametrize(("point", "words"), REFUSED)
def test_what_the_space_could_not_suggest_is_refused(point, words):
    with pytest.raises(ConfigError, match=words):
        check_points(small_sweep(points=[point]), smoke.space)


def test_a_setting_that_only_some_kinds_have_is_enough():
    def space(trial):
        if trial.suggest_categorical("model.quantizer.kind", ["ema", "gradient"]) == "ema":
            trial.suggest_float("model.quantizer.decay", 0.9, 0.999)

    sweep = small_sweep(points=[{"model.quantizer.decay": 0.95}])
    decays = {draw.params.get("model.quantizer.decay") for draw in check_points(sweep, space)}
    assert decays == {None, 0.95}

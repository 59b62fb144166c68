"""Pictures are made once, of the same frames for all, and kept; what has none says why."""

from shutil import rmtree

import pytest

from raysweep.experiment.carrier import carrier
from raysweep.experiment.layout import Experiment
from raysweep.experiment.mirror import located
from raysweep.report.samples.shots import Amount
from tests.report.samples.pictured import KEPT, TWO_LEVELS, chosen, filmed, pictured, train


def samples_of(found):
    return {shown.chosen.trial: shown.sample for gallery in found.of for shown in gallery.trials}


def test_all_trials_are_shown_the_same_frames(footage, experiment):
    train(experiment, "0000")
    train(experiment, "0001", TWO_LEVELS)
    (gallery,), absent = pictured([chosen(experiment, it, footage) for it in ("0000", "0001")])[0]
    assert not absent
    assert [shown.chosen.trial for shown in gallery.trials] == ["0000", "0001"]
    assert [shot.clip.length for shot in gallery.shots] == [1, 1, 1, 6]
    for shown in gallery.trials:
        assert len(shown.sample.pictures) == len(gallery.originals.pictures) == 4
        assert [len(decibels) for decibels in shown.sample.psnr] == [1, 1, 1, 6]


def test_what_was_made_is_kept_outside_the_trials_folder(footage, experiment):
    train(experiment, "0000")
    before = sorted(experiment.trials.rglob("*"))
    trials = [chosen(experiment, "0000", footage)]
    first, told = pictured(trials)
    assert told == ["drawing what trial 0000 makes of 4 shots"]
    again, told = pictured(trials)
    assert (again, told) == (first, [])
    assert sorted(experiment.trials.rglob("*")) == before


def test_another_best_checkpoint_and_other_frames_are_drawn_anew(footage, experiment):
    train(experiment, "0000")
    trials = [chosen(experiment, "0000", footage)]
    first, _ = pictured(trials)
    train(experiment, "0000", {"seed": 1}, psnr=21.0)
    second, told = pictured(trials)
    assert told
    assert samples_of(second)["0000"].pictures != samples_of(first)["0000"].pictures
    kept = sorted(experiment.samples.rglob("*.json"))
    assert len(kept) == 2  # the trial's, in place of the first, and the originals
    assert pictured(trials, Amount(stills=2, clips=0))[1]
    assert not pictured(trials)[1]


@pytest.mark.parametrize("spoilt", ["", "half a li", "another version\n{}"])
def test_what_is_damaged_is_drawn_anew(footage, experiment, spoilt):
    train(experiment, "0000")
    trials = [chosen(experiment, "0000", footage)]
    first, _ = pictured(trials)
    for file in experiment.samples.rglob("*.json"):
        file.write_text(spoilt)
    again, told = pictured(trials)
    assert told
    assert again == first
    assert not pictured(trials)[1]


def test_where_nothing_can_be_kept_it_is_shown_all_the_same(footage, experiment):
    train(experiment, "0000")
    experiment.samples.parent.write_text("in the way")
    found, _ = pictured([chosen(experiment, "0000", footage)])
    assert samples_of(found)


def test_a_trial_without_pictures_says_why_and_the_others_are_shown(footage, experiment):
    data, store = footage
    for trial in ("0000", "0001", "0002"):
        train(experiment, trial)
    torn = experiment.best_checkpoint("0001", KEPT) / "state.pt"
    torn.write_bytes(torn.read_bytes()[:1000])
    trials = [chosen(experiment, it, footage) for it in ("0000", "0001", "0007")]
    trials.append(chosen(experiment, "0002", (data, store / "gone")))
    found, _ = pictured(trials)
    assert list(samples_of(found)) == ["0000"]
    reasons = {each.label: each.reason for each in found.absent}
    assert list(reasons) == ["0001", "0007", "0002"]
    assert "must be a whole checkpoint" in reasons["0001"]
    assert "no checkpoint kept for val/psnr" in reasons["0007"]
    assert "must be a finished store" in reasons["0002"]


def test_where_the_originals_can_no_longer_be_drawn_it_says_why(experiment, tmp_path):
    data, store = filmed(tmp_path)
    train(experiment, "0000")
    trials = [chosen(experiment, "0000", (data, store))]
    pictured(trials)
    (originals,) = experiment.samples.rglob("originals.json")
    originals.unlink()
    for shard in store.rglob("*.arrow"):
        shard.unlink()
    (found, absent), _ = pictured(trials)
    assert not found
    assert [each.label for each in absent] == ["0000"]


def test_experiments_stand_together_where_their_frames_are_the_same(footage, tmp_path):
    other = filmed(tmp_path)[0].model_copy(update={"stride": 2}), tmp_path / "store"
    experiments = [Experiment(tmp_path / name) for name in ("one", "two", "three")]
    for experiment in experiments:
        train(experiment, "0000")
    trials = [
        chosen(experiment, "0000", of, experiment.folder.name)
        for experiment, of in zip(experiments, (footage, other, footage), strict=True)
    ]
    found, _ = pictured(trials)
    labels = [[shown.chosen.label for shown in gallery.trials] for gallery in found.of]
    assert labels == [["one", "three"], ["two"]]


def test_of_an_experiment_on_an_object_store_the_checkpoint_is_fetched_once(footage, s3):
    bucket = s3.new_bucket()
    experiment = located(s3.address(f"{bucket}/runs"), "far")
    experiment.trial("0000").mkdir(parents=True)
    sender = carrier(experiment, "0000")
    sender.fetch()
    train(experiment, "0000")
    sender.send()
    rmtree(experiment.trials)
    trials = [chosen(experiment, "0000", footage), chosen(experiment, "0001", footage)]
    found, _ = pictured(trials)
    assert list(samples_of(found)) == ["0000"]
    assert [each.label for each in found.absent] == ["0001"]
    rmtree(experiment.trials)
    assert pictured(trials) == (found, [])
    assert not experiment.trials.exists()
    assert not [name for name in s3.names(bucket) if "report" in name]

"""A page carries as many shots as it has room for."""

import pytest

from raysweep.report.samples.fitting import within
from tests.report.samples.pictured import chosen, pictured, train


@pytest.fixture
def gallery(footage, experiment):
    """Three stills and a clip."""
    train(experiment, "0000")
    (found,), _ = pictured([chosen(experiment, "0000", footage)])[0]
    return found


def size_of(gallery):
    pictures = [*gallery.originals.pictures]
    for shown in gallery.trials:
        pictures += [
            *shown.sample.pictures,
            *(p for each in shown.sample.maps for p in each.pictures),
        ]
    return sum(map(len, pictures))


def test_with_room_for_all_nothing_is_left_out(gallery):
    assert within(gallery, size_of(gallery)) == gallery


def test_clips_go_first_then_stills_and_one_stays(gallery):
    whole = size_of(gallery)
    kept = [within(gallery, most) for most in range(whole, 0, -whole // 40)]
    stills = [[shot for shot in it.shots if shot.is_still] for it in kept]
    clips = [len(it.shots) - len(still) for it, still in zip(kept, stills, strict=True)]
    assert list(dict.fromkeys(clips)) == [1, 0]
    assert all(len(still) == 3 for still, clip in zip(stills, clips, strict=True) if clip)
    assert list(dict.fromkeys(map(len, stills))) == [3, 2, 1]


def test_what_stays_is_of_the_same_shots_everywhere(gallery):
    fewer = within(gallery, size_of(gallery) // 2)
    places = [gallery.shots.index(shot) for shot in fewer.shots]
    sample, whole = fewer.trials[0].sample, gallery.trials[0].sample
    assert 0 < len(places) < len(gallery.shots)
    assert list(fewer.originals.pictures) == [gallery.originals.pictures[at] for at in places]
    assert list(sample.pictures) == [whole.pictures[at] for at in places]
    assert list(sample.psnr) == [whole.psnr[at] for at in places]
    assert list(sample.maps[0].pictures) == [whole.maps[0].pictures[at] for at in places]

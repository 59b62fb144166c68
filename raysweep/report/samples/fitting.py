"""As many shots as a page can carry."""

from collections.abc import Iterator, Sequence

from raysweep.data.index.clips import spread
from raysweep.report.samples.gallery import Gallery, Originals, Shown
from raysweep.report.samples.shots import Shot


def within(gallery: Gallery, most_bytes: int) -> Gallery:
    """With as many of its shots, spread over all there are, as take at most so much; with one still at least."""
    sizes = [_bytes(gallery, at) for at in range(len(gallery.shots))]
    kept: Sequence[int] = ()
    for kept in _fewer_and_fewer(gallery.shots):
        if sum(sizes[at] for at in kept) <= most_bytes:
            break
    return _only(gallery, kept)


def _fewer_and_fewer(shots: Sequence[Shot]) -> Iterator[list[int]]:
    """Which shots: all of them, then without some clips, then without some stills."""
    stills = [at for at, shot in enumerate(shots) if shot.is_still]
    clips = [at for at, shot in enumerate(shots) if not shot.is_still]
    for count in range(len(clips), 0, -1):
        yield [*stills, *spread(clips, count)]
    for count in range(len(stills), 0, -1):
        yield spread(stills, count)


def _bytes(gallery: Gallery, at: int) -> int:
    """Of everything that shows shot `at`."""
    samples = [shown.sample for shown in gallery.trials]
    pictures = [gallery.originals.pictures[at], *(sample.pictures[at] for sample in samples)]
    pictures += [each.pictures[at] for sample in samples for each in sample.maps]
    return sum(map(len, pictures))


def _only(gallery: Gallery, kept: Sequence[int]) -> Gallery:
    return gallery._replace(
        shots=[gallery.shots[at] for at in kept],
        originals=Originals(pictures=tuple(gallery.originals.pictures[at] for at in kept)),
        trials=[_shown(shown, kept) for shown in gallery.trials],
    )


def _shown(shown: Shown, kept: Sequence[int]) -> Shown:
    sample = shown.sample
    maps = [
        each.model_copy(update={"pictures": tuple(each.pictures[at] for at in kept)})
        for each in sample.maps
    ]
    changes = {
        "pictures": tuple(sample.pictures[at] for at in kept),
        "psnr": tuple(sample.psnr[at] for at in kept),
        "maps": tuple(maps),
    }
    return shown._replace(sample=sample.model_copy(update=changes))

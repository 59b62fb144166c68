"""The heart of the page: the same validation frames, as filmed and as every chosen trial gives them back."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from raysweep.report.rendering import part, render
from raysweep.report.samples import charts
from raysweep.report.samples.charts import Course, Histogram
from raysweep.report.samples.code_use import MapSample
from raysweep.report.samples.fitting import within
from raysweep.report.samples.gallery import Galleries, Gallery, Shown
from raysweep.report.samples.pictures import CLIP_QUALITY
from raysweep.report.samples.shots import Shot
from raysweep.report.section import Section

ID = "samples"
MOST_BYTES = 14_000_000
"""Of stills, clips and code maps, as they are embedded: what is more is left out, and the page says so."""
LEAST_PIXELS = 200
"""A frame's side on the page: smaller ones are shown enlarged, by a whole factor."""
MOST_ZOOM = 8
GAINS = (1, 2, 4, 8, 16)
"""Of the difference view."""
GAIN = 4


class Told(NamedTuple):
    """A gallery, as the page tells of it."""

    trials: Sequence[Shown]
    views: Sequence[str]
    """Besides the reconstruction and its difference: of each code map."""
    zoom: int
    """How much larger than they are frames are shown."""
    data: Mapping[str, Any]
    """What the script draws from."""


class CodeMap(NamedTuple):
    """One code map of a trial, as the page tells of it."""

    sample: MapSample
    perplexity: float
    histogram: Histogram
    course: Course


class Coded(NamedTuple):
    """A trial's codes."""

    shown: Shown
    gallery: int
    at: int
    """Its place in the gallery."""
    maps: Sequence[CodeMap]


def samples_section(galleries: Galleries, most_bytes: int = MOST_BYTES) -> Section:
    """Of trials as `gallery.galleries` gives them; one without pictures is named, and why."""
    most = most_bytes // max(1, len(galleries.of))
    fitting = [within(gallery, most) for gallery in galleries.of]
    body = render(
        "samples.html",
        galleries=[_told(gallery) for gallery in fitting],
        left_out=sum(len(it.shots) for it in galleries.of) - sum(len(it.shots) for it in fitting),
        coded=[coded for at, gallery in enumerate(fitting) for coded in _coded(at, gallery)],
        absent=galleries.absent,
        clip_quality=CLIP_QUALITY,
        zooms=range(1, MOST_ZOOM + 1),
        gains=GAINS,
        gain=GAIN,
        width=charts.WIDTH,
        height=charts.HEIGHT,
    )
    return Section(ID, "Reconstructions", body, part("samples.css"), part("samples.js"))


def _told(gallery: Gallery) -> Told:
    maps = max(len(shown.sample.maps) for shown in gallery.trials)
    return Told(
        trials=gallery.trials,
        views=["codes"] if maps == 1 else [f"codes, level {at}" for at in range(maps)],
        zoom=min(MOST_ZOOM, -(-LEAST_PIXELS // gallery.side)),
        data={
            "side": gallery.side,
            "shots": [_shot(shot) for shot in gallery.shots],
            "originals": gallery.originals.pictures,
            "trials": [_data(shown) for shown in gallery.trials],
        },
    )


def _shot(shot: Shot) -> dict[str, Any]:
    return {"told": _named(shot), "frames": shot.clip.length, "fps": shot.fps}


def _data(shown: Shown) -> dict[str, Any]:
    return {
        "label": shown.chosen.label,
        "pictures": shown.sample.pictures,
        "psnr": shown.sample.psnr,
        "maps": [each.pictures for each in shown.sample.maps],
    }


def _named(shot: Shot) -> str:
    """`bunny.mp4, frame 240 (10.0 s)`; of a clip, its frames."""
    first, last = shot.clip.first_frame, _last_frame(shot)
    frames = f"frame {first:,}" if shot.is_still else f"frames {first:,} to {last:,}"
    seconds = f" ({first / shot.filmed_fps:.1f} s)" if shot.filmed_fps else ""
    return f"{shot.clip.source}, {frames}{seconds}"


def _last_frame(shot: Shot) -> int:
    return shot.clip.first_frame + (shot.clip.length - 1) * shot.clip.stride


def _coded(at: int, gallery: Gallery) -> Iterator[Coded]:
    for place, shown in enumerate(gallery.trials):
        maps = [_code_map(shown, number) for number in range(len(shown.sample.maps))]
        yield Coded(shown, at, place, maps)


def _code_map(shown: Shown, number: int) -> CodeMap:
    sample = shown.sample
    of_map = sample.maps[number]
    usage = charts.usage_of(shown.chosen.reports, number, len(sample.maps))
    return CodeMap(
        of_map,
        charts.perplexity(of_map.counts),
        charts.histogram(of_map.counts, of_map.codes),
        charts.course(usage, sample.collapse_usage, sample.collapse_validations),
    )

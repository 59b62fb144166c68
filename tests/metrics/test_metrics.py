"""Every metric against an independent implementation, and shards against the whole."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import scipy.linalg
import skimage.metrics
import torch
from torch import nn

from raysweep.errors import ConfigError
from raysweep.metrics import METRIC_DIRECTIONS, METRICS, Metric, Scored, direction
from raysweep.metrics.codes import Codes
from raysweep.metrics.fid import RFID
from raysweep.metrics.flicker import Flicker
from raysweep.metrics.lpips import LPIPS
from raysweep.metrics.psnr import PSNR
from raysweep.metrics.ssim import SSIM
from tests.features.lpips_reference import reference_lpips

SIZES = (16, 50)
CLIP_LENGTH = 3


def _batch(clips: int = 4, pixels: int = 40) -> Scored:
    generator = torch.Generator().manual_seed(0)
    shape = (clips * CLIP_LENGTH, 3, pixels, pixels)
    frames = torch.rand(shape, generator=generator) * 2 - 1
    noise = torch.rand((shape[0], 1, 1, 1), generator=generator)
    seen = frames + noise * torch.randn(shape, generator=generator)  # leaves [-1, 1] here and there
    codes = tuple(
        torch.randint(size * 2 // 3, (shape[0], side, side), generator=generator)
        for size, side in zip(SIZES, (5, 10), strict=True)
    )
    return Scored(frames, seen, codes, CLIP_LENGTH)


def _shard(batch: Scored, clips: list[int]) -> Scored:
    rows = torch.tensor([clip * CLIP_LENGTH + t for clip in clips for t in range(CLIP_LENGTH)])
    return Scored(
        batch.frames_NCHW[rows],
        batch.reconstruction_NCHW[rows],
        tuple(level[rows] for level in batch.codes),
        CLIP_LENGTH,
    )


def _values(metric: Metric, *batches: Scored) -> dict[str, float]:
    for batch in batches:
        metric.update(batch)
    return metric.values(metric.totals())


def _pictures(frames: torch.Tensor) -> Iterator[np.ndarray]:
    """NCHW in [-1, 1] -> HWC float64 in [0, 255], one after the other."""
    yield from (np.clip(frames.double().permute(0, 2, 3, 1).numpy(), -1, 1) + 1) / 2 * 255


def _pairs(batch: Scored) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    return zip(_pictures(batch.frames_NCHW), _pictures(batch.reconstruction_NCHW), strict=True)


def _psnr(batch: Scored) -> float:
    scores = [
        skimage.metrics.peak_signal_noise_ratio(original, seen, data_range=255)
        for original, seen in _pairs(batch)
    ]
    return float(np.mean(scores))


def _ssim(batch: Scored) -> float:
    scores = [
        skimage.metrics.structural_similarity(
            original,
            seen,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            data_range=255,
            channel_axis=2,
        )
        for original, seen in _pairs(batch)
    ]
    return float(np.mean(scores))


def _flicker(batch: Scored) -> float:
    original = np.stack(list(_pictures(batch.frames_NCHW)))
    seen = np.stack(list(_pictures(batch.reconstruction_NCHW)))
    errors = [
        np.abs((seen[n + 1] - seen[n]) - (original[n + 1] - original[n])).mean()
        for n in range(len(seen) - 1)
        if (n + 1) % batch.clip_length
    ]
    return float(np.mean(errors))


def _lpips(batch: Scored) -> float:
    with torch.no_grad():
        distances = reference_lpips("squeeze")(
            batch.reconstruction_NCHW.clamp(-1, 1), batch.frames_NCHW
        )
    return float(distances.mean())


class Means(nn.Module):
    """Stands for Inception: means over quarters of a frame, so that there are fewer features than frames."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        assert images.dtype == torch.uint8
        return images.float().unflatten(3, (2, -1)).mean((2, 4)).flatten(1) / 64


def _rfid(batch: Scored) -> float:
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)), with a matrix root."""
    means, covariances = [], []
    for frames in (batch.frames_NCHW, batch.reconstruction_NCHW):
        pictures = torch.from_numpy(np.stack(list(_pictures(frames)))).round().byte()
        features = Means()(pictures.permute(0, 3, 1, 2)).double().numpy()
        means.append(features.mean(0))
        covariances.append(np.cov(features, rowvar=False))
    root = np.trace(scipy.linalg.sqrtm(covariances[0] @ covariances[1]).real)
    apart = np.square(means[0] - means[1]).sum()
    return float(apart + np.trace(covariances[0] + covariances[1]) - 2 * root)


def _random_lpips() -> Metric:
    return LPIPS("squeeze", "random", "cpu")


def _simple_rfid() -> Metric:
    return RFID(Means(), 6)


PER_FRAME = [
    pytest.param(PSNR, "psnr", _psnr, 1e-5, id="psnr"),
    pytest.param(SSIM, "ssim", _ssim, 1e-5, id="ssim"),
    pytest.param(Flicker, "flicker", _flicker, 1e-5, id="flicker"),
    pytest.param(_random_lpips, "lpips_random", _lpips, 1e-5, id="lpips"),
    pytest.param(_simple_rfid, "rfid", _rfid, 1e-5, id="rfid"),
]


@pytest.mark.parametrize(("make", "name", "independent", "tolerance"), PER_FRAME)
def test_equals_an_independent_implementation(
    make: Callable[[], Metric],
    name: str,
    independent: Callable[[Scored], float],
    tolerance: float,
) -> None:
    batch = _batch()
    assert _values(make(), batch) == {name: pytest.approx(independent(batch), abs=tolerance)}


def _codes_by_hand(batch: Scored) -> dict[str, float]:
    figures: dict[str, float] = {}
    nominal, ideal, used, positions = 0.0, 0.0, 0, 0
    for i, (size, level) in enumerate(zip(SIZES, batch.codes, strict=True)):
        ids, counts = np.unique(level.numpy(), return_counts=True)
        shares = counts / counts.sum()
        bits = -(shares * np.log2(shares)).sum()
        figures |= {f"perplexity/level{i}": 2**bits, f"code_usage/level{i}": len(ids) / size}
        nominal += level.numel() * np.log2(size)
        ideal += level.numel() * bits
        used += len(ids)
        positions += level.numel()
    pixels = len(batch.frames_NCHW) * batch.frames_NCHW.shape[2] * batch.frames_NCHW.shape[3]
    return figures | {
        "perplexity": 2 ** (ideal / positions),
        "code_usage": used / sum(SIZES),
        "bits_per_pixel": nominal / pixels,
        "entropy_bits_per_pixel": ideal / pixels,
    }


def test_codes_equal_counting_by_hand() -> None:
    batch = _batch()
    assert _values(Codes(SIZES), batch) == pytest.approx(_codes_by_hand(batch), rel=1e-12)


def test_codes_of_one_level_have_no_level_in_their_names() -> None:
    batch = _batch()._replace(codes=_batch().codes[:1])
    assert set(_values(Codes(SIZES[:1]), batch)) == set(Codes.better)


def test_codes_all_used_alike_cost_their_nominal_bits() -> None:
    batch = _batch()
    ids = torch.arange(12 * 4 * 4).reshape(12, 4, 4) % 16
    values = _values(Codes([16]), batch._replace(codes=(ids,)))
    assert values["perplexity"] == pytest.approx(16)
    assert values["code_usage"] == 1
    assert values["bits_per_pixel"] == pytest.approx(4 * 16 / 40**2)
    assert values["entropy_bits_per_pixel"] == pytest.approx(values["bits_per_pixel"])


EVERY = [
    pytest.param(PSNR, id="psnr"),
    pytest.param(SSIM, id="ssim"),
    pytest.param(Flicker, id="flicker"),
    pytest.param(_random_lpips, id="lpips"),
    pytest.param(lambda: Codes(SIZES), id="codes"),
]


@pytest.mark.parametrize("make", EVERY)
def test_shards_add_up_to_the_whole_exactly(make: Callable[[], Metric]) -> None:
    batch = _batch()
    clip_by_clip = [_shard(batch, [clip]) for clip in range(4)]
    whole, even, odd, idle = make(), make(), make(), make()
    expected = _values(whole, *clip_by_clip)
    _values(even, clip_by_clip[2], clip_by_clip[0])
    _values(odd, clip_by_clip[3], clip_by_clip[1])
    total = odd.totals() + idle.totals() + even.totals()
    assert total.dtype == torch.float64
    assert idle.values(total) == expected


def test_shards_of_rfid_add_up_but_for_rounding() -> None:
    batch, one, other = _batch(), _simple_rfid(), _simple_rfid()
    _values(one, _shard(batch, [2, 0]))
    _values(other, _shard(batch, [3, 1]))
    whole = _values(_simple_rfid(), batch)
    assert other.values(one.totals() + other.totals()) == pytest.approx(whole, abs=1e-9)


@pytest.mark.parametrize("make", [*EVERY, pytest.param(_simple_rfid, id="rfid")])
def test_batches_of_any_size_say_the_same(make: Callable[[], Metric]) -> None:
    batch = _batch()
    parts = [_shard(batch, [0]), _shard(batch, [1, 2, 3])]
    assert _values(make(), *parts) == pytest.approx(_values(make(), batch), rel=1e-6)


@pytest.mark.parametrize("make", [*EVERY, pytest.param(_simple_rfid, id="rfid")])
def test_nothing_scored_gives_no_figure(make: Callable[[], Metric]) -> None:
    assert _values(make()) == {}


def test_a_perfect_frame_has_a_finite_psnr() -> None:
    frames = _batch().frames_NCHW
    assert _values(PSNR(), _batch()._replace(reconstruction_NCHW=frames)) == {
        "psnr": pytest.approx(100)
    }


@pytest.mark.parametrize("make", [PSNR, SSIM, Flicker, _random_lpips])
def test_a_reconstruction_that_is_not_finite_shows(make: Callable[[], Metric]) -> None:
    batch = _batch()
    (value,) = _values(
        make(), batch._replace(reconstruction_NCHW=batch.frames_NCHW * torch.nan)
    ).values()
    assert np.isnan(value)


def test_single_frames_do_not_flicker() -> None:
    assert _values(Flicker(), _batch()._replace(clip_length=1)) == {}


def test_an_error_that_stands_still_does_not_flicker() -> None:
    frames = _batch().frames_NCHW / 2
    shifted = _batch()._replace(frames_NCHW=frames, reconstruction_NCHW=frames + 0.25)
    assert _values(Flicker(), shifted)["flicker"] == pytest.approx(0, abs=1e-4)


def test_frames_smaller_than_its_window_have_no_ssim() -> None:
    assert _values(SSIM(), _batch(pixels=8)) == {}


DIRECTIONS = [
    ("psnr", "max"),
    ("val/psnr", "max"),
    ("val/ssim", "max"),
    ("val/lpips", "min"),
    ("lpips_random", "min"),
    ("val/perplexity/level1", "max"),
    ("val/code_usage", "max"),
    ("bits_per_pixel", "min"),
    ("val/entropy_bits_per_pixel", "min"),
    ("val/flicker", "min"),
]


@pytest.mark.parametrize(("name", "expected"), DIRECTIONS)
def test_every_figure_has_a_direction(name: str, expected: str) -> None:
    assert direction(name) == expected


def test_the_directions_cover_what_metrics_give() -> None:
    named = {direction_name for metric in METRICS.values() for direction_name in metric.better}
    assert named == set(METRIC_DIRECTIONS)
    given = {name.split("/")[0] for make in EVERY for name in _values(make.values[0](), _batch())}
    assert given | {"lpips", "rfid"} == named


@pytest.mark.parametrize("name", ["val/pnsr", "", "val/loss/total"])
def test_an_unknown_metric_is_refused_with_those_there_are_and_the_nearest(name: str) -> None:
    with pytest.raises(ConfigError, match=r"must be one of .*psnr, rfid, ssim"):
        direction(name)
    with pytest.raises(ConfigError, match="Did you mean 'psnr'"):
        direction("val/pnsr")

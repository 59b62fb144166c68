"""What a trial's pictures, figures and codes are: those of its best checkpoint's model on the shots."""

from base64 import b64decode

import cv2
import numpy as np
import pytest
import torch

from raysweep.data.decoding.decode import to_rgb
from raysweep.report.samples.code_use import SHOWN_CODES
from raysweep.report.samples.making import make_sample, open_checkpoint
from raysweep.report.samples.pictures import coloured
from raysweep.report.samples.shots import choose_shots
from raysweep.training import checkpoint
from raysweep.training.evaluate import to_frames
from tests.report.samples.pictured import AMOUNT, KEPT, SIDE, STAGES, TWO_LEVELS, train
from tests.tiny import CPU, tiny_parts

MODELS = {"one level": {}, "two levels": TWO_LEVELS, "three stages": STAGES}


@pytest.fixture(params=MODELS)
def made(request, footage, experiment):
    """The shots, what is shown of a trial, and its model."""
    data, store = footage
    train(experiment, "0000", MODELS[request.param])
    opened = open_checkpoint(experiment.best_checkpoint("0000", KEPT), CPU)
    shots = choose_shots(store, data, AMOUNT)
    return shots, make_sample(opened, shots, CPU), opened.tokenizer


def pixels_of(picture: str, frames: int = 1):
    """WebP as base64 -> THWC."""
    tall_HWC = to_rgb(cv2.imdecode(np.frombuffer(b64decode(picture), np.uint8), cv2.IMREAD_COLOR))
    return np.stack(np.split(tall_HWC, frames))


def given_back(tokenizer, frames_THWC):
    """Frames (float, [0, 255], THWC) and codes."""
    with torch.no_grad():
        decoded = tokenizer(to_frames(torch.from_numpy(frames_THWC)[None], CPU))
    pixels = (decoded.frames_NCHW.clamp(-1, 1) + 1) * 127.5
    return pixels.permute(0, 2, 3, 1).numpy(), [codes.numpy() for codes in decoded.codes]


def test_stills_are_what_the_model_gives_back_to_the_last_bit(made):
    shots, sample, tokenizer = made
    for picture, frames_THWC in zip(sample.pictures[:3], shots.frames, strict=False):
        wanted, _ = given_back(tokenizer, frames_THWC)
        assert np.abs(pixels_of(picture) - wanted).max() <= 0.51


def test_clips_are_nearly_that_frame_by_frame(made):
    shots, sample, tokenizer = made
    wanted, _ = given_back(tokenizer, shots.frames[-1])
    seen = pixels_of(sample.pictures[-1], len(shots.frames[-1]))
    assert seen.shape == wanted.shape
    assert (
        np.sqrt(np.square(seen - wanted).mean()) < 16
    )  # colour noise, which is what WebP thins out


def test_psnr_is_that_of_each_frame(made):
    shots, sample, tokenizer = made
    for decibels, frames_THWC in zip(sample.psnr, shots.frames, strict=True):
        error = given_back(tokenizer, frames_THWC)[0].astype(np.float64) - frames_THWC
        assert decibels == pytest.approx(
            10 * np.log10(255**2 / np.square(error).mean((1, 2, 3))), abs=2e-3
        )


def test_each_code_map_has_its_codes_counts_and_colours(made):
    shots, sample, tokenizer = made
    coded = [given_back(tokenizer, frames_THWC)[1] for frames_THWC in shots.frames]
    assert [each.codes for each in sample.maps] == list(tokenizer.codebook_sizes)
    assert [each.pixels for each in sample.maps] == list(tokenizer.downsampling)
    for at, shown in enumerate(sample.maps):
        counts = np.bincount(np.concatenate([c[at].ravel() for c in coded]), minlength=shown.codes)
        assert list(shown.counts) == sorted(counts[counts > 0], reverse=True)
        for picture, codes in zip(shown.pictures, coded, strict=True):
            seen = pixels_of(picture, len(codes[at]))
            assert np.array_equal(seen, coloured(codes[at], shown.codes))
        for patch in (*shown.most_used, *shown.least_used):
            assert patch.count == counts[patch.code]
        few = max(1, min(SHOWN_CODES, len(shown.counts) // 2))
        assert [patch.count for patch in shown.most_used] == list(shown.counts[:few])
        assert [patch.count for patch in shown.least_used] == list(shown.counts[::-1][:few])


def test_patches_are_cut_from_reconstructions_around_places_where_the_code_occurs(made):
    shots, sample, tokenizer = made
    seen = [given_back(tokenizer, frames_THWC) for frames_THWC in shots.frames]
    frames = np.concatenate([frames_THWC for frames_THWC, _ in seen])
    for at, shown in enumerate(sample.maps):
        codes = np.concatenate([of_maps[at] for _, of_maps in seen])
        for patch in (*shown.most_used, *shown.least_used):
            crops = np.split(pixels_of(patch.picture)[0], min(4, patch.count), axis=1)
            for crop in crops:
                assert crop.shape == (16, 16, 3)
                assert any(
                    np.abs(frames[t, top : top + 16, left : left + 16] - crop).max() <= 0.51
                    for t, top, left in places_of(codes, patch.code, shown.pixels)
                )


def places_of(codes, code, pixels):
    """Frame, top and left of 16 pixels around each of a code's positions, inside frames of SIDE pixels."""
    for t, *position in np.argwhere(codes == code):
        middle = np.array(position) * pixels + pixels // 2
        yield (t, *np.clip(middle - 8, 0, SIDE - 16))


def test_averaged_weights_are_the_ones_that_count(experiment):
    changes = {"loss.perceptual_net": "none", "training.weight_ema": 0.9}
    parts = tiny_parts(changes)
    best = experiment.best_checkpoint("0000", KEPT)
    with torch.no_grad():
        parts.state.averaged.last_layer.fill_(0.5)
    checkpoint.save(best, parts.state, {KEPT: 20.0}, parts.settings)
    assert (open_checkpoint(best, CPU).tokenizer.last_layer == 0.5).all()


def test_neighbouring_codes_have_unlike_colours():
    colours = coloured(np.arange(256)[None, None], 256)[0, 0].astype(int)
    assert len(np.unique(colours, axis=0)) == 256
    assert np.abs(np.diff(colours, axis=0)).sum(1).min() > 60

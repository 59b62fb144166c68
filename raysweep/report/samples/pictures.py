"""Frames as the page embeds them: WebP, which every browser shows, as base64.

A clip is one picture with its frames one below the other: the page shows one frame of it at a time, so that the clips
of all trials play in step. Stills are lossless, since their differences are looked at, amplified; clips are not.

Shapes: N or T frames, H, W pixels, C = 3 (RGB uint8), h, w positions of a code map, K ids of a codebook.
"""

from base64 import b64encode

import cv2
import numpy as np
from einops import rearrange
from numpy.typing import NDArray
from torch import Tensor

from raysweep.data.decoding.decode import Frames
from raysweep.metrics.base import as_pixels

LOSSLESS = 101
"""OpenCV's word for it: a quality above 100."""
CLIP_QUALITY = 85
"""Of WebP, up to 100: on video of 256 px 4 to 8 kB a frame, where a lossless one takes 35 to 55."""
GOLDEN_ANGLE = 137.50776
"""Degrees of hue from one code's colour to the next: neighbouring ids look unlike."""
SHADES = 3
"""Of lightness, by turns: hues alone would be too near for many codes."""


def to_pictures(frames_NCHW: Tensor) -> Frames:
    """RGB float in [-1, 1] -> NHWC, rounded."""
    pixels = rearrange(as_pixels(frames_NCHW), "n c h w -> n h w c")
    return pixels.round().byte().cpu().numpy()


def embedded(frames_THWC: Frames) -> str:
    """A still without loss, a clip nearly so."""
    return _webp(frames_THWC, LOSSLESS if len(frames_THWC) == 1 else CLIP_QUALITY)


def embedded_exactly(frames_THWC: Frames) -> str:
    return _webp(frames_THWC, LOSSLESS)


def coloured(codes_Thw: NDArray[np.int64], size: int) -> Frames:
    """THWC: a colour for each of `size` codes, a pixel for each position."""
    return _colours(size)[codes_Thw]


def _webp(frames_THWC: Frames, quality: int) -> str:
    tall_HWC = rearrange(frames_THWC, "t h w c -> (t h) w c")
    bgr_HWC = cv2.cvtColor(tall_HWC, cv2.COLOR_RGB2BGR)
    written, picture = cv2.imencode(".webp", bgr_HWC, [cv2.IMWRITE_WEBP_QUALITY, quality])
    assert written, f"WebP of {tall_HWC.shape}"
    return b64encode(picture.tobytes()).decode()


def _colours(size: int) -> Frames:
    """K x 3, RGB."""
    ids_K = np.arange(size)
    hls_K3 = np.empty((1, size, 3), np.float32)
    hls_K3[..., 0] = ids_K * GOLDEN_ANGLE % 360
    hls_K3[..., 1] = 0.35 + 0.4 * (ids_K % SHADES) / (SHADES - 1)
    hls_K3[..., 2] = 0.75
    rgb_K3 = cv2.cvtColor(hls_K3, cv2.COLOR_HLS2RGB)[0]
    return (rgb_K3 * 255).round().astype(np.uint8)

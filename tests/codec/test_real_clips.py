"""The two real clips that lie beside the repository, at their own size: frames, rate and size come back."""

import numpy as np
import pytest

from raysweep.codec.decoding import decode_file
from raysweep.codec.encoding import encode_file
from raysweep.codec.h264 import psnr
from raysweep.codec.layout import layout_for
from raysweep.codec.source import Source
from tests.test_real_footage import CLIPS, FRAMES

NASA, BUNNY = "nasa_13013.mp4", "big_buck_bunny_480p_30s.mp4"
SHOWN = {NASA: (180, 320, 25), BUNNY: (480, 854, 24)}
"""Height and width in pixels, frames per second."""

pytestmark = pytest.mark.skipif(not CLIPS.is_dir(), reason=f"no clips at {CLIPS}")


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        (NASA, ".mkv"),
        *[pytest.param(BUNNY, kind, marks=pytest.mark.slow) for kind in (".mkv", ".mp4")],
    ],
)
def test_a_real_clip_comes_back(name, suffix, network, tmp_path) -> None:
    """In memory, every tenth frame is coded alone."""
    encode_file(network, Source(CLIPS / name), tmp_path / "tokens.rsv")
    decode_file(network, tmp_path / "tokens.rsv", tmp_path / f"back{suffix}")
    back, count = Source(tmp_path / f"back{suffix}"), 0
    assert (back.height, back.width, back.rate) == SHOWN[name]
    layout = layout_for(back.height, back.width, max(network.tokenizer.downsampling))
    for frame, decoded in zip(Source(CLIPS / name).frames(), back.frames(), strict=True):
        if count % 10 == 0:
            (wanted,) = layout.join(network.decode(network.encode(layout.cut(frame[None]))))
            assert np.array_equal(decoded, wanted) or (
                suffix == ".mp4" and psnr(decoded, wanted) > 30
            )
        count += 1
    assert count == FRAMES[name]

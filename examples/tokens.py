"""A model's tokens, in Python: encode a video, see which codes it uses, decode, and measure what was lost.

python examples/tokens.py runs/demo/best video.mp4
"""

import argparse
from itertools import islice
from math import log2
from pathlib import Path

import numpy as np

import raysweep
from raysweep.data.decoding.decode import read_frames

FRAMES = 16
"""That are decoded again."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="a folder that `raysweep export` wrote")
    parser.add_argument("video", type=Path)
    words = parser.parse_args()

    pretrained = raysweep.load(words.model)
    tokenizer = pretrained.tokenizer
    codes = pretrained.encode_video(words.video)  # at the rate, size and crop of training
    for level, (ids, size) in enumerate(zip(codes, tokenizer.codebook_sizes, strict=True)):
        counts = np.bincount(ids.flatten(), minlength=size)
        shares = counts[counts > 0] / counts.sum()
        entropy = abs((shares * np.log2(shares)).sum())
        print(
            f"map {level}: {tuple(ids.shape)} ids, {len(shares)} of {size} codes used, "
            f"{entropy:.2f} bits a token (at most {log2(size):.2f})"
        )

    frames = np.stack(list(islice(read_frames(words.video), FRAMES)))
    multiple = max(tokenizer.downsampling)  # a token file takes any size, `encode` multiples
    height, width = (pixels // multiple * multiple for pixels in frames.shape[1:3])
    frames = frames[:, :height, :width]
    decoded = pretrained.decode(pretrained.encode(frames))
    error = np.square(frames.astype(float) - decoded).mean(axis=(1, 2, 3))
    psnr = 10 * np.log10(255**2 / np.maximum(error, 1e-10)).mean()
    print(f"{len(frames)} frames of {width}x{height} px come back at {psnr:.2f} dB PSNR")


if __name__ == "__main__":
    main()

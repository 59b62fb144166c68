"""How the codebook is used: counts of every id over the whole validation set.

Shapes: N frames, h, w positions of a code map, H, W pixels, K ids of a codebook.
"""

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor

from raysweep.metrics.base import Better, Metric, Scored


class Codes(Metric):
    """Perplexity, usage and bits, from histograms of ids.

    - `perplexity`: 2^entropy, the number of ids that would do if all were used alike;
    - `code_usage`: share of the ids that occur at all;
    - `bits_per_pixel`: what the codes cost stored plainly, log2 K each;
    - `entropy_bits_per_pixel`: what they cost after an ideal entropy coder that knows their frequencies.

    With several code maps (a tokenizer's levels, a quantizer's heads or stages), `perplexity/level0`,
    `code_usage/level0`, ... follow, a number for each map. Without a suffix, usage is over all ids of all maps,
    and perplexity is 2^(entropy of a code, meaned over all codes): maps with more positions weigh more.
    """

    better: ClassVar[Mapping[str, Better]] = {
        "perplexity": "higher",
        "code_usage": "higher",
        "bits_per_pixel": "lower",
        "entropy_bits_per_pixel": "lower",
    }

    def __init__(self, codebook_sizes: Sequence[int]) -> None:
        """`codebook_sizes`: K of each map, in the order of `Scored.codes`."""
        self._sizes = list(codebook_sizes)
        self._counts = [torch.zeros(size, dtype=torch.float64) for size in self._sizes]
        self._pixels = 0

    def update(self, batch: Scored) -> None:
        for counts, codes in zip(self._counts, batch.codes, strict=True):
            counts += torch.bincount(codes.flatten(), minlength=len(counts)).cpu()
        self._pixels += batch.frames_NCHW[:, 0].numel()

    def totals(self) -> Tensor:
        """The histograms one after another, then the number of pixels."""
        return torch.cat([*self._counts, torch.tensor([self._pixels], dtype=torch.float64)])

    def values(self, totals: Tensor) -> dict[str, float]:
        *levels, pixels = totals.split([*self._sizes, 1])
        if not pixels.item():
            return {}
        return _bits(levels, pixels.item()) | _all_levels(levels) | _each_level(levels)


def _bits(levels: list[Tensor], pixels: float) -> dict[str, float]:
    nominal = sum(counts.sum().item() * math.log2(len(counts)) for counts in levels)
    ideal = sum(counts.sum().item() * _entropy_bits(counts) for counts in levels)
    return {"bits_per_pixel": nominal / pixels, "entropy_bits_per_pixel": ideal / pixels}


def _all_levels(levels: list[Tensor]) -> dict[str, float]:
    every_count = torch.cat(levels)
    bits = sum(counts.sum().item() * _entropy_bits(counts) for counts in levels)
    return {
        "perplexity": 2 ** (bits / every_count.sum().item()),
        "code_usage": _usage(every_count),
    }


def level_figures(maps: int) -> list[str]:
    """What is also given for each code map: of one alone nothing."""
    levels = range(maps) if maps > 1 else ()
    return [f"{name}/level{i}" for name in ("perplexity", "code_usage") for i in levels]


def _each_level(levels: list[Tensor]) -> dict[str, float]:
    perplexities = [2 ** _entropy_bits(level) for level in levels]
    usages = [_usage(level) for level in levels]
    return dict(
        zip(level_figures(len(levels)), perplexities + usages, strict=False)
    )  # of one map none


def _entropy_bits(counts_K: Tensor) -> float:
    """Entropy of one code in bits; an id that never occurs adds nothing."""
    shares_K = counts_K / counts_K.sum()
    nats: float = torch.special.entr(shares_K).sum().item()
    return nats / math.log(2)


def _usage(counts_K: Tensor) -> float:
    return (counts_K > 0).double().mean().item()

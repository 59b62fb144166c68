"""Finite scalar quantization: a few channels, each rounded to a few levels; an id is a combination of levels.

Mentzer et al. 2023, "Finite Scalar Quantization: VQ-VAE Made Simple". There is no codebook to learn and
none that could collapse. The rounding is vector-quantize-pytorch's.
"""

from collections.abc import Iterator
from functools import cache
from itertools import count
from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import model_validator
from torch import Tensor, autocast

from raysweep.models.quantizers.base import Quantized, Quantizer, QuantizerConfig


class FSQConfig(QuantizerConfig):
    """`codebook_size` is exact: 1024 is 8 x 8 x 4 x 4, where the paper takes 8 x 5 x 5 x 5 = 1000 for it.

    The paper's own sizes are 240, 1000, 4375, 15360 and 64000.
    """

    kind: Literal["fsq"] = "fsq"

    @model_validator(mode="after")
    def _size_is_a_product_of_levels(self) -> "FSQConfig":
        if not levels_of(self.codebook_size):
            near = " or ".join(map(str, _sizes_near(self.codebook_size)))
            raise ValueError(
                "codebook_size must be a product of levels from 3 to 16 for FSQ, "
                f"got {self.codebook_size}. Set it to {near}."
            )
        return self

    def build(self) -> "FSQQuantizer":
        return FSQQuantizer(self)


@cache
def levels_of(codebook_size: int) -> tuple[int, ...]:
    """Levels, largest first, whose product is `codebook_size`; none where there is no such product.

    The fewest levels from 4 to 8 and of those the most alike, which gives the paper's table 1 for its
    sizes; where there are none, from 3 to 16.
    """
    for levels in (range(8, 3, -1), range(16, 2, -1)):
        found = list(_products(codebook_size, levels))
        if found:
            return min(found, key=lambda product: (len(product), sum(product)))
    return ()


def _products(size: int, levels: range) -> Iterator[tuple[int, ...]]:
    """Every way to write `size` as a product of falling `levels`."""
    for i, level in enumerate(levels):
        if size == level:
            yield (level,)
        elif size % level == 0:
            yield from ((level, *rest) for rest in _products(size // level, levels[i:]))


def _sizes_near(codebook_size: int) -> list[int]:
    """The nearest possible size below, where there is one, and above."""
    below = (size for size in range(codebook_size, 2, -1) if levels_of(size))
    above = (size for size in count(max(codebook_size, 3)) if levels_of(size))
    return [*[size for size in [next(below, 0)] if size], next(above)]


class FSQQuantizer(Quantizer):
    """Keys: `fsq.project_{in,out}.{weight,bias}`, where the latent has other than one channel per level."""

    def __init__(self, config: FSQConfig) -> None:
        from vector_quantize_pytorch import FSQ  # two seconds, which only who uses it should wait

        super().__init__()
        self.codebook_sizes = (config.codebook_size,)
        with torch.device("cpu"):  # it reads its levels back, which a meta tensor does not have
            self.fsq = FSQ(list(levels_of(config.codebook_size)), dim=config.embedding_dim)

    def forward(self, latent_NDhw: Tensor) -> Quantized:
        with autocast(latent_NDhw.device.type, enabled=False):
            latent, codes = self.fsq(latent_NDhw.float())
            nothing = (0 * latent).sum()  # no loss, yet one that can be sent backwards
            commitment = F.mse_loss(latent_NDhw.detach().float(), latent.detach())
            return Quantized(latent, (codes.long(),), nothing, commitment)

    def vectors(self, codes: tuple[Tensor, ...]) -> Tensor:
        (codes_Nhw,) = codes
        latent: Tensor = self.fsq.indices_to_codes(codes_Nhw)
        return latent

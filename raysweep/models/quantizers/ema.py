"""Vector quantization whose codebook is a moving average of the vectors assigned to it.

van den Oord et al. 2017, appendix A.1; Razavi et al. 2019. As published, codes that nothing chooses
stay that way and the codebook collapses, soonest where the cluster sizes start at zero. By default

- the codebook starts from latent vectors of the first batch;
- the averages are plain means until 1 / (1 - decay) steps have been seen: every step weighs the same, as in
  Sculley 2010, "Web-Scale K-Means Clustering", and the arbitrary start is forgotten at once;
- an unused code is moved beside one that is used more than the mean, which it splits in two, as in Linde,
  Buzo and Gray 1980, section III. Moved onto a vector of the batch (Dhariwal et al. 2020, "Jukebox",
  "random restart") it would be far from all others where the latent has many dimensions, and be unused
  again. Both halves share the vectors, so neither is judged before its average has settled, and nothing
  moves any more once the codes are used evenly.

`benchmarks/codebook.py` measures it.
"""

from typing import Any, Literal

import torch
import torch.nn.functional as F
from einops import rearrange
from pydantic import Field
from torch import Tensor, autocast, nn

from raysweep import parallel
from raysweep.models.quantizers.base import (
    Quantized,
    Quantizer,
    QuantizerConfig,
    histogram,
    nearest,
)

STRIDE = 0.2
"""Of the way from a code to one of its vectors that the halves of a split code move, to both sides. From 0.02
to 0.3 it makes no difference; at 0.5 one half takes far more vectors than the other."""

SETTLED = 1_000_000
"""Updates that a codebook counts which came without their number: more than any average remembers."""


class MovingAverageConfig(QuantizerConfig):
    """What codebooks that are moving averages are asked."""

    beta: float = 0.25
    """Weight of the commitment term; there is no codebook term."""
    decay: float = Field(default=0.99, ge=0, lt=1)
    """Of the moving averages, per training step."""
    eps: float = 1e-5
    """Laplace smoothing of the cluster sizes."""
    start: Literal["data", "normal", "zeros"] = "data"
    """The codebook's start: vectors of the first training batch; or a normal draw as published, its cluster
    sizes at one; or those at zero, as the public EMAVQ and VQ-VAE-2 codes have them."""
    revive_below: float = Field(default=0.25, ge=0, le=0.5)
    """Share of the mean cluster size under which a code is unused, and is moved; 0: never, as published."""


class EMAConfig(MovingAverageConfig):
    """`start: zeros, revive_below: 0` is the arithmetic of the public codes."""

    kind: Literal["ema"] = "ema"

    def build(self) -> "EMAQuantizer":
        return EMAQuantizer(self)


class EMAEmbedding(nn.Module):
    """The codebook and its statistics: buffers, so that no optimizer ever holds them."""

    weight: Tensor
    cluster_size: Tensor
    embed_avg: Tensor

    def __init__(self, config: MovingAverageConfig) -> None:
        super().__init__()
        weight_KD = torch.randn(config.codebook_size, config.embedding_dim)
        size = 0.0 if config.start == "zeros" else 1.0
        self.register_buffer("weight", weight_KD)
        self.register_buffer("cluster_size", torch.full((config.codebook_size,), size))
        self.register_buffer("embed_avg", weight_KD.clone())

    def place(self, ids: Tensor, vectors_KD: Tensor, sizes: Tensor) -> None:
        """Makes `ids` the averages of `sizes` vectors each."""
        self.weight[ids] = vectors_KD
        self.cluster_size[ids] = sizes
        self.embed_avg[ids] = vectors_KD * sizes[:, None]


class EMAQuantizer(Quantizer):
    """Keys: `embedding.{weight (K, D), cluster_size (K,), embed_avg (K, D)}` and `updates`, a step count.

    A checkpoint without `updates`, as published ones are, counts as past its start. Statistics are summed over
    the ranks of a distributed group, so that W workers move the codebook as one worker with the whole
    batch would.
    """

    updates: Tensor

    def __init__(self, config: MovingAverageConfig) -> None:
        super().__init__()
        self.codebook_sizes = (config.codebook_size,)
        self.config = config
        self.embedding = EMAEmbedding(config)
        self.register_buffer("updates", torch.zeros((), dtype=torch.long))
        self.register_load_state_dict_pre_hook(_count_as_settled)

    def forward(self, latent_NDhw: Tensor) -> Quantized:
        with autocast(latent_NDhw.device.type, enabled=False):
            latent = latent_NDhw.float()
            latent_MD = rearrange(latent.detach(), "n d h w -> (n h w) d")
            if self.training and self.config.start == "data" and self.updates == 0:
                self._start(latent_MD)
            codes_M = nearest(latent_MD, self.embedding.weight)
            codes = (codes_M.view(-1, *latent.shape[2:]),)
            chosen = self.vectors(codes)  # of the codebook before this step's update
            if self.training:
                self._update(latent_MD, codes_M)
            commitment = F.mse_loss(latent, chosen)
            straight = latent + (chosen - latent).detach()
            return Quantized(straight, codes, self.config.beta * commitment, commitment.detach())

    def vectors(self, codes: tuple[Tensor, ...]) -> Tensor:
        (codes_Nhw,) = codes
        return rearrange(F.embedding(codes_Nhw, self.embedding.weight), "n h w d -> n d h w")

    @torch.no_grad()
    def _start(self, latent_MD: Tensor) -> None:
        """Codes on drawn vectors, each with its fair share of the batch."""
        codebook_size = self.config.codebook_size
        drawn_RD = self._draw(latent_MD, codebook_size)
        ids = torch.arange(codebook_size, device=latent_MD.device)
        fair_share = len(latent_MD) * parallel.place().workers / codebook_size
        sizes = torch.full_like(self.embedding.cluster_size, fair_share)
        self.embedding.place(ids, drawn_RD[ids % len(drawn_RD)], sizes)

    @torch.no_grad()
    def _update(self, latent_MD: Tensor, codes_M: Tensor) -> None:
        book, eps, codebook_size = self.embedding, self.config.eps, self.config.codebook_size
        count_K = histogram(codes_M, codebook_size).float()
        sum_KD = torch.zeros_like(book.embed_avg).index_add_(0, codes_M, latent_MD)
        statistics = parallel.total(torch.cat([count_K[:, None], sum_KD], 1))
        decay = self._decay()
        book.cluster_size.lerp_(statistics[:, 0], 1 - decay)
        book.embed_avg.lerp_(statistics[:, 1:], 1 - decay)
        n = book.cluster_size.sum()
        smoothed_K = (book.cluster_size + eps) / (n + codebook_size * eps) * n
        book.weight.copy_(book.embed_avg / smoothed_K[:, None])
        self.updates += 1
        if self.config.revive_below > 0:
            self._revive(latent_MD)

    def _decay(self) -> float:
        if self.config.start != "data":
            return self.config.decay
        seen = int(self.updates) + 1  # the start counts as a step
        return min(self.config.decay, seen / (seen + 1))

    def _revive(self, latent_MD: Tensor) -> None:
        """Splits codes that are used more than the mean, one for each unused code as far as there are any.

        As many vectors are drawn as codes are unused: the more a code is used, the likelier one is its.
        """
        book = self.embedding
        mean_size = book.cluster_size.mean()
        unused = (book.cluster_size < self.config.revive_below * mean_size).nonzero().flatten()
        if not len(unused):
            return
        drawn_RD = self._draw(latent_MD, len(unused))
        chosen_R = nearest(drawn_RD, book.weight)
        rows = _first_of_each(chosen_R, self.config.codebook_size)
        rows = rows[book.cluster_size[chosen_R[rows]] > mean_size]
        split, moved = chosen_R[rows], unused[: len(rows)]
        middle, half = book.weight[split], book.cluster_size[split] / 2
        step = STRIDE * (drawn_RD[rows] - middle)
        book.place(split, middle - step, half)
        book.place(moved, middle + step, half)

    def _draw(self, latent_MD: Tensor, count: int) -> Tensor:
        """At most `count` vectors of the global batch, drawn by the step count alone."""
        generator = torch.Generator().manual_seed(int(self.updates))
        drawn = torch.randperm(len(latent_MD) * parallel.place().workers, generator=generator)
        return parallel.gather_rows(latent_MD, drawn[:count].to(latent_MD.device))


def _first_of_each(ids_R: Tensor, size: int) -> Tensor:
    """Of each id that occurs, the row where it first does."""
    rows = torch.arange(len(ids_R), device=ids_R.device)
    first = torch.full((size,), len(ids_R), device=ids_R.device).scatter_reduce_(
        0, ids_R, rows, "amin"
    )
    return first[first < len(ids_R)]


def _count_as_settled(module: EMAQuantizer, state: dict[str, Tensor], prefix: str, *_: Any) -> None:
    if f"{prefix}embedding.weight" in state:
        state.setdefault(f"{prefix}updates", torch.tensor(SETTLED))

"""Vector quantization that shares vectors out among all codes by optimal transport.

Zhang et al. 2024, "Preventing Local Pitfalls in Vector Quantization via Optimal Transport" (OptVQ): in
training, the Sinkhorn algorithm (Cuturi 2013) finds the assignment that uses every code alike. Such codes
depend on the batch: at inference a vector takes its nearest code, unless `exact`, as the public code does.

Shapes: R = M * heads rows, one for each head of each latent vector; E = D / heads their dimension.
"""

from math import sqrt
from typing import Literal

import torch
import torch.nn.functional as F
from einops import rearrange
from pydantic import Field, model_validator
from torch import Tensor, autocast, nn

from raysweep import parallel
from raysweep.models.quantizers.base import Quantized, Quantizer, QuantizerConfig, nearest

TINY = 1e-8
"""Added to the sums that are divided by, and to the likeliest code's probability, as published."""


class OptVQConfig(QuantizerConfig):
    """Defaults: the released models, but for their four (and eight) heads, each of which is a code map."""

    kind: Literal["optvq"] = "optvq"
    heads: int = Field(default=1, ge=1)
    """Parts of a latent vector that are looked up each by itself, in one codebook; a code map each."""
    epsilon: float = Field(default=10.0, gt=0)
    """Sharpness of the assignment, as a factor of the cost."""
    iterations: int = Field(default=5, ge=0)
    """Of the Sinkhorn algorithm; with 0, the nearest code wins."""
    normalize: Literal["all", "dim", "null"] = "all"
    """The cost: distances standardized over the batch, divided by sqrt(E), or as they are. Unstandardized, far
    vectors' assignments underflow in float32, as in the public code."""
    use_prob: bool = False
    """Draws codes from the assignment instead of taking the likeliest."""
    loss: Literal["l2", "ce"] = "l2"
    """Commitment and codebook terms, or the cross-entropy of the assignment under softmax(-distance)."""
    beta: float = 0.25
    """Weight of the codebook term of `l2`; the commitment term's is 1."""
    use_proj: bool = True
    """The codebook is a learned linear map of the embedding."""
    exact: bool = False
    """Sinkhorn at inference too, as published: a frame's codes then depend on the others in its batch."""

    @model_validator(mode="after")
    def _heads_divide_the_latent(self) -> "OptVQConfig":
        if self.embedding_dim % self.heads:
            raise ValueError(
                f"embedding_dim must be a multiple of heads, got {self.embedding_dim} and {self.heads}. "
                f"Set embedding_dim to {-(-self.embedding_dim // self.heads) * self.heads}."
            )
        return self

    def build(self) -> "OptVQQuantizer":
        return OptVQQuantizer(self)


class OptVQQuantizer(Quantizer):
    """Keys: `embedding.weight (K, E)` and `proj.{weight (E, E), bias (E,)}`.

    W workers compute what one with the whole batch would (with `use_prob`, in distribution: each draws its own).
    """

    def __init__(self, config: OptVQConfig) -> None:
        super().__init__()
        self.config = config
        self.codebook_sizes = (config.codebook_size,) * config.heads
        head_dim = config.embedding_dim // config.heads
        self.embedding = nn.Embedding(config.codebook_size, head_dim)
        self.proj = _projection(head_dim) if config.use_proj else nn.Identity()

    def forward(self, latent_NDhw: Tensor) -> Quantized:
        with autocast(latent_NDhw.device.type, enabled=False):
            n, _, h, w = latent_NDhw.shape
            latent = latent_NDhw.float()
            rows_RE = rearrange(latent, "n (g e) h w -> (n h w g) e", g=self.config.heads)
            codebook_KE = self.proj(self.embedding.weight)
            codes_R = self._assign(rows_RE.detach(), codebook_KE.detach())
            loss = self._loss(rows_RE, codebook_KE, codes_R)
            maps = rearrange(codes_R, "(n h w g) -> g n h w", n=n, h=h, w=w)
            codes = tuple(maps.unbind())
            chosen = self.vectors(codes).detach()
            commitment = F.mse_loss(latent.detach(), chosen)
            return Quantized(latent + (chosen - latent).detach(), codes, loss, commitment)

    def vectors(self, codes: tuple[Tensor, ...]) -> Tensor:
        chosen = F.embedding(torch.stack(codes), self.proj(self.embedding.weight))
        return rearrange(chosen, "g n h w e -> n (g e) h w")

    def _assign(self, rows_RE: Tensor, codebook_KE: Tensor) -> Tensor:
        config = self.config
        if not (self.training or config.exact):
            return nearest(rows_RE, codebook_KE)
        distance_RK = torch.cdist(rows_RE, codebook_KE)
        cost_RK = _normalized(distance_RK, config.normalize, codebook_KE.shape[1])
        share_RK = sinkhorn(cost_RK, config.epsilon, config.iterations)
        likeliest_R = share_RK.argmax(1)
        if not config.use_prob:
            return likeliest_R
        share_RK[torch.arange(len(share_RK)), likeliest_R] += TINY
        return torch.multinomial(share_RK, 1).squeeze(1)

    def _loss(self, rows_RE: Tensor, codebook_KE: Tensor, codes_R: Tensor) -> Tensor:
        if self.config.loss == "ce":
            return F.cross_entropy(-torch.cdist(rows_RE, codebook_KE), codes_R)
        chosen_RE = F.embedding(codes_R, codebook_KE)
        commitment = F.mse_loss(rows_RE, chosen_RE.detach())
        return commitment + self.config.beta * F.mse_loss(chosen_RE, rows_RE.detach())


def _projection(head_dim: int) -> nn.Linear:
    layer = nn.Linear(head_dim, head_dim)
    nn.init.normal_(layer.weight, std=head_dim**-0.5)
    return layer


def _normalized(distance_RK: Tensor, mode: str, head_dim: int) -> Tensor:
    if mode == "dim":
        return distance_RK / sqrt(head_dim)
    if mode == "null":
        return distance_RK
    count = distance_RK.numel() * parallel.place().workers
    mean = parallel.total(distance_RK.mean()) / parallel.place().workers
    variance = parallel.total((distance_RK - mean).square().sum()) / (count - 1)
    standard_RK = (distance_RK - mean) / (variance.sqrt() + 1e-6)
    return standard_RK - parallel.least(standard_RK.min())


def sinkhorn(cost_RK: Tensor, epsilon: float, iterations: int) -> Tensor:
    """Shares of each row in each code: rows sum to 1, columns to R / K the nearer the more iterations.

    Rows are those of all ranks, of which each holds its own.
    """
    rows, codes = len(cost_RK) * parallel.place().workers, cost_RK.shape[1]
    share_RK = torch.exp(-cost_RK * epsilon)
    share_RK = share_RK / (parallel.total(share_RK.sum()) + TINY)
    for _ in range(iterations):
        share_RK = share_RK / (parallel.total(share_RK.sum(0)) + TINY) / codes
        share_RK = share_RK / (share_RK.sum(1, keepdim=True) + TINY) / rows
    return share_RK * rows

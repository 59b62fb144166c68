"""Vector quantization whose codebook is a moving average of the vectors assigned to it.

van den Oord et al. 2017, appendix A.1; Razavi et al. 2019. A cluster size that starts at zero makes
unused codes explode and the codebook collapse, so by default the codebook starts from latent vectors of
the first batch and a code that too few vectors choose is moved onto one of them (Dhariwal et al. 2020,
"Jukebox", section 3.2, "random restart").
"""

from typing import Literal

import torch
import torch.nn.functional as F
from einops import rearrange
from pydantic import Field
from torch import Tensor, autocast, nn

from raysweep import parallel
from raysweep.models.quantizers.base import Quantized, Quantizer, QuantizerConfig, nearest


class EMAConfig(QuantizerConfig):
    kind: Literal["ema"] = "ema"
    beta: float = 0.25
    """Weight of the commitment term; there is no codebook term."""
    decay: float = Field(default=0.99, ge=0, lt=1)
    """Of the moving averages, per training step."""
    eps: float = 1e-5
    """Laplace smoothing of the cluster sizes."""
    start: Literal["data", "normal"] = "data"
    """The codebook's start: vectors of the first training batch, or a normal draw, as published."""
    revive_below: float = Field(default=1.0, ge=0)
    """Average vectors per step under which a code is moved onto a vector of the batch; 0: never."""

    def build(self) -> "EMAQuantizer":
        return EMAQuantizer(self)


class EMAEmbedding(nn.Module):
    """The codebook and its statistics: buffers, so that no optimizer ever holds them."""

    weight: Tensor
    cluster_size: Tensor
    embed_avg: Tensor

    def __init__(self, codebook_size: int, embedding_dim: int) -> None:
        super().__init__()
        weight_KD = torch.randn(codebook_size, embedding_dim)
        self.register_buffer("weight", weight_KD)
        self.register_buffer("cluster_size", torch.ones(codebook_size))
        self.register_buffer("embed_avg", weight_KD.clone())


class EMAQuantizer(Quantizer):
    """Keys: `embedding.{weight (K, D), cluster_size (K,), embed_avg (K, D)}` and `updates`, a step count.

    Statistics are summed over the ranks of a distributed group, so that W workers move the codebook as
    one worker with the whole batch would.
    """

    updates: Tensor

    def __init__(self, config: EMAConfig) -> None:
        super().__init__()
        self.codebook_size = config.codebook_size
        self.codebook_sizes = (config.codebook_size,)
        self.config = config
        self.embedding = EMAEmbedding(config.codebook_size, config.embedding_dim)
        self.register_buffer("updates", torch.zeros((), dtype=torch.long))

    def forward(self, latent_NDhw: Tensor) -> Quantized:
        with autocast(latent_NDhw.device.type, enabled=False):
            latent = latent_NDhw.float()
            latent_MD = rearrange(latent.detach(), "n d h w -> (n h w) d")
            if self.training and self.config.start == "data" and self.updates == 0:
                self._place(torch.arange(self.codebook_size), latent_MD, size=1.0)
            codes_M = nearest(latent_MD, self.embedding.weight)
            codes = (codes_M.view(len(latent), *latent.shape[2:]),)
            chosen = self.vectors(codes)  # of the codebook before this step's update
            if self.training:
                self._update(latent_MD, codes_M)
            loss = self.config.beta * F.mse_loss(latent, chosen)
            return Quantized(latent + (chosen - latent).detach(), codes, loss)

    def vectors(self, codes: tuple[Tensor, ...]) -> Tensor:
        (codes_Nhw,) = codes
        return rearrange(F.embedding(codes_Nhw, self.embedding.weight), "n h w d -> n d h w")

    @torch.no_grad()
    def _update(self, latent_MD: Tensor, codes_M: Tensor) -> None:
        book, decay, eps = self.embedding, self.config.decay, self.config.eps
        count_K = torch.bincount(codes_M, minlength=self.codebook_size).float()
        sum_KD = torch.zeros_like(book.embed_avg).index_add_(0, codes_M, latent_MD)
        statistics = parallel.total(torch.cat([count_K[:, None], sum_KD], 1))
        book.cluster_size.lerp_(statistics[:, 0], 1 - decay)
        book.embed_avg.lerp_(statistics[:, 1:], 1 - decay)
        n = book.cluster_size.sum()
        smoothed_K = (book.cluster_size + eps) / (n + self.codebook_size * eps) * n
        book.weight.copy_(book.embed_avg / smoothed_K[:, None])
        self.updates += 1
        self._revive(latent_MD)

    def _revive(self, latent_MD: Tensor) -> None:
        fair_share = len(latent_MD) * parallel.place().workers / self.codebook_size
        floor = self.config.revive_below * min(1.0, fair_share / 2)
        dead = (self.embedding.cluster_size < floor).nonzero().flatten()
        if len(dead):
            self._place(dead, latent_MD, size=max(1.0, floor))

    @torch.no_grad()
    def _place(self, ids: Tensor, latent_MD: Tensor, size: float) -> None:
        """Moves codes `ids` onto vectors of the global batch, drawn by the step count alone."""
        vectors = len(latent_MD) * parallel.place().workers
        generator = torch.Generator().manual_seed(int(self.updates))
        drawn = torch.randperm(vectors, generator=generator)
        drawn = drawn.repeat(-(-len(ids) // vectors))[: len(ids)].to(latent_MD.device)
        ids = ids.to(latent_MD.device)
        rows = parallel.gather_rows(latent_MD, drawn)
        self.embedding.weight[ids] = rows
        self.embedding.cluster_size[ids] = size
        self.embedding.embed_avg[ids] = rows * size

"""One training step: one forward pass of the tokenizer serves both updates.

The losses' gradients are taken with respect to the reconstruction, once each; the adaptive weight comes
from carrying them through the last layer alone, and their weighted sum goes back through the decoder in
one pass. These are the numbers of taming's two extra passes through the whole loss, without them.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, autograd, nn

from raysweep import parallel
from raysweep.losses import LossConfig
from raysweep.losses.adversarial import adaptive_weight, discriminator_loss, generator_loss
from raysweep.losses.perceptual import PerceptualLoss
from raysweep.losses.pixel import pixel_loss
from raysweep.models import Decoded
from raysweep.training.state import TrainState

Scalars = dict[str, Tensor]


class Step:
    """Advances `state` by one update of the tokenizer and, when it is due, one of the discriminator."""

    def __init__(
        self,
        state: TrainState,
        loss: LossConfig,
        disc_start: int,
        perceptual: PerceptualLoss | None,
    ) -> None:
        self.state, self.loss, self.disc_start = state, loss, disc_start
        self.perceptual = perceptual if loss.perceptual_weight > 0 else None
        self.tokenizer = parallel.synchronized(state.tokenizer)
        self.discriminator = parallel.synchronized(state.discriminator)

    def __call__(self, frames_NCHW: Tensor) -> Scalars:
        """Frames of this rank's share, float RGB in [-1, 1] -> scalars of the share, not yet read back."""
        gan = self.loss.has_gan and self.state.step >= self.disc_start
        decoded: Decoded = self.tokenizer(frames_NCHW)
        scalars = self._update_tokenizer(decoded, frames_NCHW, gan)
        if gan and (self.state.step - self.disc_start) % self.loss.disc_every == 0:
            scalars |= self._update_discriminator(decoded.frames_NCHW.detach(), frames_NCHW)
        self.state.step += 1
        return scalars

    def _update_tokenizer(self, decoded: Decoded, target_NCHW: Tensor, gan: bool) -> Scalars:
        reconstruction = decoded.frames_NCHW
        leaf = reconstruction.detach().requires_grad_()
        nll, scalars = self._reconstruction_loss(leaf, target_NCHW)
        (gradient,) = autograd.grad(nll, leaf)
        total = nll.detach() + self.loss.codebook_weight * decoded.codebook_loss.detach()
        if gan:
            with frozen(self.state.discriminator):
                g_loss = generator_loss(self.state.discriminator(leaf))
            (gan_gradient,) = autograd.grad(g_loss, leaf)
            weight = self.loss.disc_factor * self._gan_weight(
                reconstruction, gradient, gan_gradient
            )
            gradient = gradient + weight * gan_gradient
            total = total + weight * g_loss.detach()
            scalars |= {"g_loss": g_loss.detach(), "lambda_gan": weight}
        self.state.optimizer.zero_grad(set_to_none=True)
        weight_of_codes = decoded.codebook_loss.new_tensor(self.loss.codebook_weight)
        autograd.backward([reconstruction, decoded.codebook_loss], [gradient, weight_of_codes])
        self.state.optimizer.step()
        return scalars | {
            "vq_loss": decoded.codebook_loss.detach(),
            "perplexity": decoded.perplexity,
            "total_loss": total,
        }

    def _reconstruction_loss(self, leaf: Tensor, target_NCHW: Tensor) -> tuple[Tensor, Scalars]:
        pixel = pixel_loss(self.loss.pixel, leaf, target_NCHW)
        nll = self.loss.pixel_weight * pixel
        scalars = {"recon_loss": pixel.detach()}
        if self.perceptual is not None:
            perceptual = self.perceptual(leaf, target_NCHW).mean()
            nll = nll + self.loss.perceptual_weight * perceptual
            scalars["perc_loss"] = perceptual.detach()
        return nll, scalars

    def _gan_weight(
        self, reconstruction: Tensor, nll_gradient: Tensor, gan_gradient: Tensor
    ) -> Tensor:
        if not self.loss.adaptive:
            return reconstruction.new_tensor(self.loss.disc_weight)
        last_layer = self.state.tokenizer.last_layer
        at_last_layer = [
            autograd.grad(reconstruction, last_layer, gradient, retain_graph=True)[0]
            for gradient in (nll_gradient, gan_gradient)
        ]
        return self.loss.disc_weight * adaptive_weight(*at_last_layer)

    def _update_discriminator(self, reconstruction_NCHW: Tensor, target_NCHW: Tensor) -> Scalars:
        real, fake = self.discriminator(target_NCHW), self.discriminator(reconstruction_NCHW)
        loss = self.loss.disc_factor * discriminator_loss(self.loss.gan, real, fake)
        self.state.disc_optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.state.disc_optimizer.step()
        return {"gan_loss": loss.detach()}


@contextmanager
def frozen(network: nn.Module) -> Iterator[None]:
    """Gradients flow through `network` to its input, and none is computed for its weights."""
    network.requires_grad_(False)
    try:
        yield
    finally:
        network.requires_grad_(True)


def read(scalars: Scalars) -> dict[str, float]:
    """Means over ranks, as plain floats under their logged names."""
    means = parallel.mean(torch.stack([value.detach().float() for value in scalars.values()]))
    return dict(zip((f"train/{name}" for name in scalars), means.tolist(), strict=True))

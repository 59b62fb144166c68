"""One training step: one forward pass of the tokenizer serves both updates.

The losses' gradients are taken with respect to the reconstruction, once each; the adaptive weight comes
from carrying them through the last layer alone, and their weighted sum goes back through the decoder in
one pass. These are the numbers of taming's two extra passes through the whole loss, without them. The
discriminator's pass over the reconstruction, too, serves the tokenizer's gradient and its own.

A batch may be taken in micro-batches of equal size: each adds its share to the gradients of both networks.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import NamedTuple

import torch
from torch import Tensor, autograd, nn
from torch.nn.utils import clip_grads_with_norm_, get_total_norm
from torch.optim import Adam

from raysweep import parallel
from raysweep.losses import LossConfig
from raysweep.losses.adversarial import (
    adaptive_weight,
    discriminator_loss,
    generator_loss,
    lecam,
    r1,
)
from raysweep.losses.pixel import pixel_loss
from raysweep.models import Decoded
from raysweep.training import TrainingConfig
from raysweep.training.guard import Buffers, all_finite, step_if
from raysweep.training.precision import autocast
from raysweep.training.state import TrainState

Scalars = dict[str, Tensor]


class Weighted(NamedTuple):
    """A term of the reconstruction loss."""

    weight: float
    distance: Callable[[Tensor, Tensor], Tensor]
    """Frames and their targets, (N, 3, H, W) in [-1, 1] -> one number per frame."""


PerceptualTerms = dict[str, Weighted]
"""Logged name -> term."""


class Verdict(NamedTuple):
    """What the discriminator says of a reconstruction."""

    g_loss: Tensor
    gradient: Tensor
    """Of `g_loss`, with respect to the reconstruction."""
    logits: Tensor | None
    """With their graph, where the discriminator learns from this very pass."""


class Step:
    """Advances `state` by one update of the tokenizer and, when it is due, one of the discriminator."""

    def __init__(
        self,
        state: TrainState,
        loss: LossConfig,
        config: TrainingConfig,
        perceptual: PerceptualTerms,
    ) -> None:
        self.state, self.loss, self.config = state, loss, config
        self.gan = loss.gan_timing(config.steps)
        self.perceptual = perceptual
        self.layout = torch.channels_last if config.channels_last else torch.contiguous_format
        self.tokenizer = parallel.synchronized(state.tokenizer)
        self.discriminator = parallel.synchronized(state.discriminator)

    def __call__(self, frames_NCHW: Tensor) -> Scalars:
        """Frames of this rank's share, float RGB in [-1, 1] -> scalars of the share, not yet read back.

        A step that is not finite is counted and changes nothing else; one whose memory ran out changes
        nothing at all, and may be taken again.
        """
        frames_NCHW = frames_NCHW.contiguous(memory_format=self.layout)
        before = Buffers([self.state.tokenizer, self.state.discriminator])
        for optimizer in self._optimizers():
            optimizer.zero_grad(set_to_none=True)
        try:
            scalars = self._gradients(frames_NCHW)
        except torch.OutOfMemoryError:
            before.restore_unless(torch.tensor(False, device=frames_NCHW.device))
            raise
        scalars |= self._update(scalars, before)
        self.state.step += 1
        return scalars

    # --- gradients

    def _gradients(self, frames_NCHW: Tensor) -> Scalars:
        """Leaves gradients on the networks, of losses times the scale -> scalars meaned over micro-batches."""
        parts = frames_NCHW.tensor_split(self.state.accumulate)
        scalars, codes = [], []
        for number, part in enumerate(parts, start=1):
            with self._alone() if number < len(parts) else nullcontext():
                decoded = self._decode(part)
                leaf = decoded.frames_NCHW.detach().float().requires_grad_()
                verdict = self._verdict(leaf) if self.gan.judges(self.state.step) else None
                scalars.append(self._tokenizer_gradients(decoded, leaf, part, verdict))
                if self.gan.learns(self.state.step):
                    logits = None if verdict is None else verdict.logits
                    seen = leaf.detach()
                    scalars[-1] |= self._discriminator_gradients(seen, part, logits)
            codes.append(decoded.codes)
        usage = code_usage(codes, self.state.tokenizer.codebook_sizes)
        judges = self.gan.judges(self.state.step)
        factor = usage.new_full((), self.loss.disc_factor if judges else 0.0)
        return {**_mean(scalars), "code_usage_rate": usage, "disc_factor": factor}

    def _decode(self, frames_NCHW: Tensor) -> Decoded:
        with autocast(self.config.precision, frames_NCHW.device):
            decoded: Decoded = self.tokenizer(frames_NCHW)
        return decoded

    def _tokenizer_gradients(
        self, decoded: Decoded, leaf: Tensor, target_NCHW: Tensor, verdict: Verdict | None
    ) -> Scalars:
        """`leaf`: the reconstruction, cut from the decoder."""
        reconstruction, codebook_loss = decoded.frames_NCHW, decoded.codebook_loss
        nll, scalars = self._reconstruction_loss(leaf, target_NCHW)
        (gradient,) = autograd.grad(nll, leaf)
        total = nll.detach() + self.loss.codebook_weight * codebook_loss.detach()
        if verdict is not None:
            weight = self._gan_weight(reconstruction, gradient, verdict.gradient)
            gradient = gradient + self.loss.disc_factor * weight * verdict.gradient
            total = total + self.loss.disc_factor * weight * verdict.g_loss
            scalars |= {"g_loss": verdict.g_loss, "lambda_gan": weight}
        roots, slopes = [reconstruction], [(gradient * self._factor).to(reconstruction.dtype)]
        if codebook_loss.requires_grad:  # a quantizer that learns nothing has none to give
            roots.append(codebook_loss)
            slopes.append((self.loss.codebook_weight * self._factor).to(codebook_loss.dtype))
        autograd.backward(roots, slopes)
        return scalars | {
            "vq_loss": codebook_loss.detach(),
            "commitment_loss": decoded.commitment,
            "perplexity": decoded.perplexity,
            "total_loss": total,
        }

    def _reconstruction_loss(self, leaf: Tensor, target_NCHW: Tensor) -> tuple[Tensor, Scalars]:
        pixel = pixel_loss(self.loss.pixel, leaf, target_NCHW)
        nll = self.loss.pixel_weight * pixel
        scalars = {"recon_loss": pixel.detach()}
        for name, (weight, distance) in self.perceptual.items():
            perceptual = distance(leaf, target_NCHW).mean()
            nll = nll + weight * perceptual
            scalars[name] = perceptual.detach()
        return nll, scalars

    def _verdict(self, leaf: Tensor) -> Verdict:
        shared = self._learns_from_verdict
        network = self.discriminator if shared else self.state.discriminator
        keep = nullcontext() if shared else frozen(network)
        with keep, autocast(self.config.precision, leaf.device):
            logits = network(leaf)
        g_loss = generator_loss(self.loss.generator_gan or self.loss.gan, logits)
        scale = self.state.scale.value
        (gradient,) = autograd.grad(g_loss * scale, leaf, retain_graph=shared)
        return Verdict(g_loss.detach(), gradient / scale, logits if shared else None)

    @property
    def _learns_from_verdict(self) -> bool:
        """Whether the discriminator's update would pass the same frames through it, in the same precision."""
        step = self.state.step
        return (
            self.gan.learns(step)
            and not self.gan.penalized(step)
            and not self.loss.disc_noise * self.gan.noise_share(step)
        )

    def _gan_weight(
        self, reconstruction: Tensor, nll_gradient: Tensor, gan_gradient: Tensor
    ) -> Tensor:
        weight = self.loss.disc_weight * self.gan.loudness(self.state.step)
        if not self.loss.adaptive:
            return nll_gradient.new_full((), weight)
        nll, gan = (self._at_last_layer(reconstruction, g) for g in (nll_gradient, gan_gradient))
        return weight * adaptive_weight(nll, gan, self.loss.adaptive_cap)

    def _at_last_layer(self, reconstruction: Tensor, gradient: Tensor) -> Tensor:
        """The gradient of a loss with respect to the last layer, from that to the reconstruction."""
        last_layer, scale = self.state.tokenizer.last_layer, self.state.scale.value
        slope = (gradient * scale).to(reconstruction.dtype)
        (found,) = autograd.grad(reconstruction, last_layer, slope, retain_graph=True)
        return found / scale

    def _discriminator_gradients(
        self, seen_NCHW: Tensor, target_NCHW: Tensor, verdict: Tensor | None
    ) -> Scalars:
        """`verdict`: its logits of the frames seen, where they can be learned from."""
        real_NCHW = self._noisy(target_NCHW)
        penalized = self.gan.penalized(self.state.step)
        if penalized:
            real_NCHW = real_NCHW.detach().requires_grad_()
        # A penalty on slopes would overflow in float16.
        with autocast("fp32" if penalized else self.config.precision, real_NCHW.device):
            real = self.discriminator(real_NCHW)
            fake = self.discriminator(self._noisy(seen_NCHW)) if verdict is None else verdict
        loss = self.loss.disc_factor * discriminator_loss(self.loss.gan, real, fake)
        scalars = {
            "gan_loss": loss.detach(),
            "logits_real": real.detach().float().mean(),
            "logits_fake": fake.detach().float().mean(),
        }
        if self.loss.lecam_weight > 0:
            held = lecam(real, fake, self.state.logit_averages)
            loss = loss + self.loss.lecam_weight * held
            scalars["lecam_loss"] = held.detach()
        if penalized:
            slope = r1(real, real_NCHW)
            loss = loss + self.loss.r1_weight * self.loss.r1_every * slope
            scalars["r1_loss"] = slope.detach()
        (loss * self._factor).backward()
        return scalars

    def _noisy(self, frames_NCHW: Tensor) -> Tensor:
        deviation = self.loss.disc_noise * self.gan.noise_share(self.state.step)
        return frames_NCHW + deviation * torch.randn_like(frames_NCHW) if deviation else frames_NCHW

    @property
    def _factor(self) -> Tensor:
        """What a micro-batch's gradients are multiplied by: its share of the batch, and the loss scale."""
        return self.state.scale.value / self.state.accumulate

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Backward passes within leave gradients to be averaged over ranks by a later one."""
        with parallel.unsynchronized(self.tokenizer), parallel.unsynchronized(self.discriminator):
            yield

    # --- the update

    def _optimizers(self) -> list[Adam]:
        """Those that this step updates."""
        learns = self.gan.learns(self.state.step)
        return [self.state.optimizer, *([self.state.disc_optimizer] if learns else [])]

    def _update(self, scalars: Scalars, before: Buffers) -> Scalars:
        """Both networks by their gradients, unless one is not finite -> their norms, and steps skipped."""
        state = self.state
        norms = [self._unscale_and_clip(optimizer) for optimizer in self._optimizers()]
        losses = [scalars[name] for name in ("total_loss", "gan_loss") if name in scalars]
        finite = all_finite([*losses, *norms])
        for optimizer in self._optimizers():
            step_if(finite, optimizer)
        before.restore_unless(finite)
        state.scale.update(finite)
        everything, in_a_row = state.skipped
        everything = everything + ~finite
        state.skipped = torch.stack([everything, torch.where(finite, 0, in_a_row + 1)])
        if self.loss.lecam_weight > 0 and "gan_loss" in scalars:
            self._average_logits(scalars, finite)
        names = ("grad_norm", "disc_grad_norm")
        return {"skipped_steps": everything, **dict(zip(names, norms, strict=False))}

    def _unscale_and_clip(self, optimizer: Adam) -> Tensor:
        """Gradients as they would be at scale 1, clipped -> their norm before."""
        parameters = optimizer.param_groups[0]["params"]
        gradients = [p.grad for p in parameters if p.grad is not None]
        if self.state.scale.moves:
            torch._foreach_mul_(gradients, 1 / self.state.scale.value)
        norm = get_total_norm(gradients)
        if self.config.clip_norm is not None:
            clip_grads_with_norm_(parameters, self.config.clip_norm, norm)
        return norm

    def _average_logits(self, scalars: Scalars, finite: Tensor) -> None:
        logits = parallel.mean(torch.stack([scalars["logits_real"], scalars["logits_fake"]]))
        averages = self.state.logit_averages
        moved = averages.lerp(logits, 1 - self.loss.lecam_decay)
        self.state.logit_averages = torch.where(finite, moved, averages)


@contextmanager
def frozen(network: nn.Module) -> Iterator[None]:
    """Gradients flow through `network` to its input, and none is computed for its weights."""
    network.requires_grad_(False)
    try:
        yield
    finally:
        network.requires_grad_(True)


def code_usage(codes: Sequence[Sequence[Tensor]], codebook_sizes: Sequence[int]) -> Tensor:
    """Share of all ids that a step uses, on any rank: a scalar, of its micro-batches' code maps."""
    used = [torch.zeros(size, device=codes[0][0].device) for size in codebook_sizes]
    for maps in codes:
        for ids_used, ids in zip(used, maps, strict=True):
            ids_used[ids.flatten()] = 1.0
    return (parallel.total(torch.cat(used)) > 0).float().mean()


def read(scalars: Scalars) -> dict[str, float]:
    """Means over ranks, as plain floats under their logged names."""
    means = parallel.mean(torch.stack([value.detach().float() for value in scalars.values()]))
    return dict(zip((f"train/{name}" for name in scalars), means.tolist(), strict=True))


def _mean(scalars: Sequence[Scalars]) -> Scalars:
    return {name: torch.stack([one[name] for one in scalars]).mean(0) for name in scalars[0]}

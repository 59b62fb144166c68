"""The two sides of the GAN and the weight that balances it (Esser et al. 2021, eqs. 5 to 7)."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, autograd

from raysweep import parallel


def generator_loss(kind: str, logits_fake: Tensor) -> Tensor:
    """What the tokenizer minimizes, of the verdicts on its reconstructions.

    `hinge` and `vanilla`, as VQGAN has it: the mean logit, negated; `non_saturating` (Goodfellow et al.
    2014, section 3): -log sigmoid of the logits.
    """
    logits = logits_fake.float()
    return F.softplus(-logits).mean() if kind == "non_saturating" else -logits.mean()


def discriminator_loss(kind: str, logits_real: Tensor, logits_fake: Tensor) -> Tensor:
    """`hinge` (Lim & Ye 2017) or, on logits, `vanilla` and `non_saturating` (Goodfellow et al. 2014, which
    differ for the generator alone): half the sum of both sides."""
    margins: dict[str, Callable[[Tensor], Tensor]] = {
        "hinge": _hinge,
        "vanilla": F.softplus,
        "non_saturating": F.softplus,
    }
    margin = margins[kind]
    return 0.5 * (margin(-logits_real.float()).mean() + margin(logits_fake.float()).mean())


def adaptive_weight(reconstruction_gradient: Tensor, gan_gradient: Tensor, cap: float) -> Tensor:
    """Eq. 7: ratio of the two losses' gradient norms at the last layer; a scalar in [0, `cap`].

    Takes the gradients with respect to the last layer's weight on this rank's equal share of the batch,
    and measures their means over ranks, so that every rank gets the weight of the whole batch.
    """
    both = parallel.mean(torch.stack([reconstruction_gradient, gan_gradient]).float())
    reconstruction_norm, gan_norm = both.flatten(1).norm(dim=1)
    return (reconstruction_norm / (gan_norm + 1e-4)).clamp(0.0, cap)


def lecam(logits_real: Tensor, logits_fake: Tensor, averages: Tensor) -> Tensor:
    """LeCAM (Tseng et al. 2021, eq. 4), one-sided as its authors' code has it: real logits are held down to
    the average fake one, and fake logits up to the average real one. `averages`: (real, fake)."""
    average_real, average_fake = averages
    above = F.relu(logits_real.float() - average_fake).square().mean()
    below = F.relu(average_real - logits_fake.float()).square().mean()
    return above + below


def r1(logits_real: Tensor, real_NCHW: Tensor) -> Tensor:
    """R1 (Mescheder et al. 2018, eq. 9) without its weight gamma: half the mean squared slope of the summed
    logits at real frames, which must be a leaf of their graph."""
    (slope,) = autograd.grad(logits_real.float().sum(), real_NCHW, create_graph=True)
    return 0.5 * slope.square().sum((1, 2, 3)).mean()


def _hinge(signed_logits: Tensor) -> Tensor:
    return F.relu(1 + signed_logits)

"""The two sides of the GAN and the weight that balances it (Esser et al. 2021, eqs. 5 to 7)."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from raysweep import parallel

WEIGHT_CAP = 1e4
"""Upper bound of the adaptive weight, as published."""


def generator_loss(logits_fake: Tensor) -> Tensor:
    """Of hinge and vanilla alike: the discriminator's mean verdict on reconstructions, negated."""
    return -logits_fake.float().mean()


def discriminator_loss(kind: str, logits_real: Tensor, logits_fake: Tensor) -> Tensor:
    """`hinge` (Lim & Ye 2017) or `vanilla` (Goodfellow et al. 2014, on logits): half the sum of both sides."""
    margins: dict[str, Callable[[Tensor], Tensor]] = {"hinge": _hinge, "vanilla": F.softplus}
    margin = margins[kind]
    return 0.5 * (margin(-logits_real.float()).mean() + margin(logits_fake.float()).mean())


def adaptive_weight(reconstruction_gradient: Tensor, gan_gradient: Tensor) -> Tensor:
    """Eq. 7: ratio of the two losses' gradient norms at the last layer; a scalar in [0, 1e4].

    Takes the gradients with respect to the last layer's weight on this rank's equal share of the batch,
    and measures their means over ranks, so that every rank gets the weight of the whole batch.
    """
    both = parallel.mean(torch.stack([reconstruction_gradient, gan_gradient]).float())
    reconstruction_norm, gan_norm = both.flatten(1).norm(dim=1)
    return (reconstruction_norm / (gan_norm + 1e-4)).clamp(0.0, WEIGHT_CAP)


def _hinge(signed_logits: Tensor) -> Tensor:
    return F.relu(1 + signed_logits)

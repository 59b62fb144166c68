"""Both optimizers get what they are set, and the discriminator what it is not given of its own."""

import pytest
from torch.optim import AdamW

from tests.tiny import tiny_parts

SETTINGS = [
    pytest.param({}, (0.5, 0.9), 0.0, id="the autoencoder's"),
    pytest.param({"training.weight_decay": 0.1}, (0.5, 0.9), 0.1, id="its decay"),
    pytest.param(
        {"training.weight_decay": 0.1, "training.disc_weight_decay": 0.0},
        (0.5, 0.9),
        0.0,
        id="no decay, which is not none given",
    ),
    pytest.param({"training.disc_betas": (0.0, 0.99)}, (0.0, 0.99), 0.0, id="betas of its own"),
]


@pytest.mark.parametrize(("changes", "betas", "decay"), SETTINGS)
def test_the_discriminators_settings(changes, betas, decay) -> None:
    (group,) = tiny_parts(changes).state.disc_optimizer.param_groups
    assert (group["betas"], group["weight_decay"]) == (betas, decay)


@pytest.mark.parametrize("kinds", [("adam", "adamw"), ("adamw", "adam"), ("adamw", None)])
def test_each_kind(kinds) -> None:
    own, theirs = kinds
    state = tiny_parts({"training.optimizer": own, "training.disc_optimizer": theirs}).state
    assert isinstance(state.optimizer, AdamW) == (own == "adamw")
    assert isinstance(state.disc_optimizer, AdamW) == ((theirs or own) == "adamw")

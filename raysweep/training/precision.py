"""Half precision for the networks (Micikevicius et al. 2018): bfloat16, or float16 with a scaled loss."""

from typing import Any

import torch
from torch import Tensor

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

START = 2.0**16
"""Of the scale: too large at first, and halved until it fits."""
GROW_AFTER = 2000
"""Finite steps in a row before the scale is doubled."""


def autocast(precision: str, device: torch.device) -> torch.autocast:
    """A context for a network's forward pass; nothing under fp32."""
    return torch.autocast(device.type, DTYPES[precision], enabled=precision != "fp32")


class LossScale:
    """What losses are multiplied by before their backward pass, and gradients divided by after (section 3.2).

    1 and constant unless under fp16. It lives on the device, and moves without anyone waiting for it.
    """

    def __init__(self, precision: str, device: torch.device) -> None:
        self.moves = precision == "fp16"
        self.value = torch.tensor(START if self.moves else 1.0, device=device)
        self.good_steps = torch.zeros((), dtype=torch.long, device=device)

    def update(self, finite: Tensor) -> None:
        """Halves after a step that was not `finite` (a bool scalar), and doubles after many that were."""
        if not self.moves:
            return
        self.good_steps = torch.where(finite, self.good_steps + 1, 0)
        grows = self.good_steps >= GROW_AFTER
        self.value = self.value * torch.where(finite, torch.where(grows, 2.0, 1.0), 0.5)
        self.good_steps = torch.where(grows, 0, self.good_steps)

    def state_dict(self) -> dict[str, Any]:
        return {"value": self.value, "good_steps": self.good_steps}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        self.value = saved["value"].to(self.value.device)
        self.good_steps = saved["good_steps"].to(self.value.device)

"""An exported folder -> a tokenizer that turns frames and videos into codes and back. No Ray, no pickle."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from einops import rearrange
from huggingface_hub import ModelHubMixin
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from raysweep.config import RunConfig
from raysweep.data.decoding.decode import READERS, read_timed, to_rgb
from raysweep.data.decoding.fit import fit_square
from raysweep.data.decoding.resample import resample
from raysweep.errors import ExperimentError
from raysweep.hub import SETTINGS, TAGS, WEIGHTS, copy_told, folder_of, write_model
from raysweep.models import Tokenizer
from raysweep.schema import parse
from raysweep.training.evaluate import to_frames

CHUNK_FRAMES = 32
"""Frames that pass through the network at once."""


class Pretrained(ModelHubMixin, library_name="raysweep", tags=[*TAGS]):
    """A trained tokenizer for frames T x H x W x 3, uint8 RGB.

    Codes are int64, one tensor (T, h, w) per code map (`Tokenizer.codebook_sizes`), on the CPU.
    `save_pretrained(folder)`, `from_pretrained(folder or name, device=...)` and `push_to_hub(name)` are those of
    huggingface_hub; only a name goes over the network.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        config: RunConfig,
        device: torch.device,
        folder: Path | None = None,
    ) -> None:
        """`folder`: where it was loaded from, if it was."""
        self.tokenizer, self.config, self.device = tokenizer.to(device).eval(), config, device
        self.folder = folder

    @torch.inference_mode()
    def encode(self, frames_THWC: NDArray[np.uint8]) -> tuple[Tensor, ...]:
        """Frames -> codes; ConfigError for a frame size the model cannot take, which names one it can."""
        self.tokenizer.check_size(*frames_THWC.shape[1:3])
        chunks = torch.from_numpy(np.ascontiguousarray(frames_THWC)).split(CHUNK_FRAMES)
        coded = [self.tokenizer.encode(to_frames(c[None], self.device)).codes for c in chunks]
        return tuple(torch.cat(level).cpu() for level in zip(*coded, strict=True))

    @torch.inference_mode()
    def decode(self, codes: tuple[Tensor, ...]) -> NDArray[np.uint8]:
        """Codes -> frames, rounded to uint8."""
        chunks = zip(*(level.to(self.device).split(CHUNK_FRAMES) for level in codes), strict=True)
        return np.concatenate([_to_uint8(self.tokenizer.decode_codes(chunk)) for chunk in chunks])

    def encode_video(self, path: str | Path) -> tuple[Tensor, ...]:
        """A video file, its frames at the rate, size and crop of training -> codes; one that breaks off is
        taken as far as it goes. DataError if unreadable."""
        settings = self.config.data
        timed = read_timed(Path(path), READERS, lacks=lambda reason: None)
        frames_HWC = (fit_square(frame, settings) for frame in resample(timed, settings.fps))
        return self.encode(np.stack([to_rgb(frame) for frame in frames_HWC]))

    def _save_pretrained(self, save_directory: Path) -> None:
        write_model(save_directory, self.config, self.tokenizer.state_dict())
        if self.folder is not None:
            copy_told(self.folder, save_directory)

    @classmethod
    def _from_pretrained(
        cls,
        *,
        model_id: str,
        device: str | torch.device = "cpu",
        config: object = None,  # the mixin's reading of config.json, which `load` reads itself
        **options: Any,
    ) -> "Pretrained":
        return load(folder_of(model_id, **options), device)


def load(folder: str | Path, device: str | torch.device = "cpu") -> Pretrained:
    """Opens a folder that `raysweep export` wrote; ExperimentError when it is not one, or damaged."""
    folder = Path(folder)
    weights, settings = folder / WEIGHTS, folder / SETTINGS
    for path in (weights, settings):
        if not path.exists():
            raise ExperimentError(
                f"an exported model has config.json and model.safetensors, {path} is missing. "
                "Write one with `raysweep export`."
            )
    config = _config(settings)
    tokenizer = config.model.build()
    try:
        tokenizer.load_state_dict(load_file(weights))
    except (SafetensorError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ExperimentError(
            f"{weights} must hold the weights of the model in config.json: {reason}. Export it again."
        ) from error
    return Pretrained(tokenizer, config, torch.device(device), folder)


def _config(path: Path) -> RunConfig:
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # JSONDecodeError and UnicodeDecodeError are both
        raise ExperimentError(f"{path} must be JSON: {error}. Export the model again.") from None
    if not isinstance(settings, dict):
        raise ExperimentError(
            f"{path} must hold a run's settings, got {type(settings).__name__}. Export the model again."
        )
    return parse(RunConfig, settings)


def _to_uint8(frames_NCHW: Tensor) -> NDArray[np.uint8]:
    pixels = frames_NCHW.clamp(-1, 1).add(1).mul(127.5).round().byte()
    return rearrange(pixels, "n c h w -> n h w c").cpu().numpy()

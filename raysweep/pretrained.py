"""An exported folder -> a tokenizer that turns frames and videos into codes and back. No Ray, no pickle."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import ModelHubMixin
from safetensors import SafetensorError
from safetensors.torch import load_file

from raysweep.codec.decoding import decode_file, decode_frames
from raysweep.codec.encoding import Summary, chunks, encode_file
from raysweep.codec.network import Codes, Network, frames_per_pass
from raysweep.codec.source import Source
from raysweep.config import RunConfig
from raysweep.data.decoding.decode import Frames
from raysweep.data.decoding.fit import fit_square
from raysweep.data.decoding.resample import resample
from raysweep.errors import ExperimentError
from raysweep.hub import SETTINGS, TAGS, WEIGHTS, copy_told, folder_of, write_model
from raysweep.models import Tokenizer
from raysweep.schema import parse


class Pretrained(ModelHubMixin, library_name="raysweep", tags=[*TAGS]):
    """A trained tokenizer for frames and their codes, on one device.

    Frames: a NumPy array (T, H, W, 3), uint8 RGB in [0, 255]; H and W are multiples of the model's `downsampling`
    (files may be of any size). Codes: one int64 tensor (T, h, w) on the CPU per code map, finest level first;
    ids are 0 to K - 1, where K is the map's entry in `tokenizer.codebook_sizes`, and h is H over its entry in
    `tokenizer.downsampling`.

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
        self.network = Network(tokenizer, config.model, device)
        self.tokenizer, self.config, self.device = self.network.tokenizer, config, device
        self.folder = folder

    def encode(self, frames_THWC: Frames) -> Codes:
        """Frames -> codes; ConfigError for what are no frames, and for a size the model cannot take, which names
        one it can."""
        return self.network.encode(frames_THWC)

    def decode(self, codes: Codes) -> Frames:
        """Codes -> frames, rounded to uint8; ConfigError for codes that the model has not."""
        return self.network.decode(codes)

    def encode_video(self, path: str | Path) -> Codes:
        """A video file, its frames at the rate, size and crop of training -> codes. Only the codes are held, not
        the frames; a file that breaks off is taken as far as it goes. DataError if unreadable."""
        source, settings = Source(Path(path)), self.config.data
        frames_HWC = (
            fit_square(frame, settings) for frame in resample(source.timed(), settings.fps)
        )
        at_once = frames_per_pass(settings.resolution, settings.resolution)
        coded = [self.encode(frames_THWC) for frames_THWC in chunks(frames_HWC, at_once)]
        return tuple(torch.cat(level) for level in zip(*coded, strict=True))

    def encode_file(self, video: str | Path, target: str | Path) -> Summary:
        """A video file, every frame at its own size -> a token file (`docs/codec.md`), in constant memory.

        DataError where the video is unreadable or `target` exists; StorageError where the disk is full.
        """
        return encode_file(self.network, Source(Path(video)), Path(target))

    def decode_file(self, tokens: str | Path, target: str | Path) -> None:
        """A token file -> a video of the same size, rate and frames: an .mp4; or without further loss an .mkv, or
        a folder of .png pictures, a name without a suffix. In constant memory.

        DataError where the token file is damaged, or `target` exists; ExperimentError where it is of another model.
        """
        decode_file(self.network, Path(tokens), Path(target))

    def decode_frames(self, tokens: str | Path) -> Iterator[Frames]:
        """A token file -> its frames (H, W, 3), one by one; errors as of `decode_file`, wherever they are met."""
        return decode_frames(self.network, Path(tokens))

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

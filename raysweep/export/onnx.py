"""encoder.onnx and decoder.onnx, checked with onnxruntime on the CPU.

Needs the extra `onnx`, which is imported where it is used.
"""

import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.export import ExportedProgram

from raysweep.errors import ConfigError
from raysweep.export.folder import Graphs
from raysweep.export.graphs import Codes, require_agreement, require_graph, trace
from raysweep.models import Tokenizer
from raysweep.pretrained import load

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

NEEDED = ("onnx", "onnxscript", "onnxruntime")
FRAMES, CODES = "frames", "codes"
"""Names of the graphs' inputs and outputs; of several code maps codes_0, codes_1, ..."""
LARGEST_BYTES = 1 << 30
"""Of weights inside the file, which protobuf lets have 2 GB; larger ones lie beside it, in `.onnx.data`."""
USE = """

`encoder.onnx` takes `frames`, float32 (N, 3, H, W), RGB in [-1, 1], and gives int64 code maps (N, h, w); `decoder.onnx`
takes these and gives frames:

```python
import onnxruntime
encoder, decoder = (onnxruntime.InferenceSession(f"{name}.onnx") for name in ("encoder", "decoder"))
codes = encoder.run(None, {"frames": frames})
frames = decoder.run(None, {given.name: ids for given, ids in zip(decoder.get_inputs(), codes)})[0]
```
"""


def require_onnx() -> None:
    """ConfigError where its packages are missing."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"--format onnx needs {' and '.join(missing)}, which are not installed. Run pip install 'raysweep[onnx]'."
        )


def write_onnx(folder: Path) -> Graphs:
    """Adds them to an exported folder; ConfigError for a model that has no graph, ExperimentError where the graphs do
    something else than it does."""
    model = load(folder)
    require_graph(model.config.model)
    tokenizer, side = model.tokenizer, model.config.data.resolution
    programs, names = trace(tokenizer, side), _names(len(tokenizer.codebook_sizes))
    encoder, decoder = folder / "encoder.onnx", folder / "decoder.onnx"
    _write(programs.encoder, encoder, [FRAMES], names, tokenizer)
    _write(programs.decoder, decoder, names, [FRAMES], tokenizer)
    opened = _Opened(encoder, decoder)
    found = require_agreement("onnx", tokenizer, side, opened.encode, opened.decode)
    return Graphs({"onnx": found._asdict()}, USE)


class _Opened:
    """Both files, as a user of onnxruntime opens them."""

    def __init__(self, encoder: Path, decoder: Path) -> None:
        self._encoder, self._decoder = _session(encoder), _session(decoder)

    def encode(self, frames_NCHW: Tensor) -> Codes:
        codes = self._encoder.run(None, {FRAMES: frames_NCHW.numpy()})
        return tuple(map(torch.from_numpy, codes))

    def decode(self, codes: Codes) -> Tensor:
        given = zip(self._decoder.get_inputs(), codes, strict=True)
        (frames_NCHW,) = self._decoder.run(None, {one.name: ids.numpy() for one, ids in given})
        return torch.from_numpy(frames_NCHW)


def _session(file: Path) -> "InferenceSession":
    import onnxruntime

    return onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])


def _names(maps: int) -> list[str]:
    return [CODES] if maps == 1 else [f"{CODES}_{number}" for number in range(maps)]


def _write(
    program: ExportedProgram,
    file: Path,
    inputs: Sequence[str],
    outputs: Sequence[str],
    tokenizer: Tokenizer,
) -> None:
    written = torch.onnx.export(
        program,
        input_names=inputs,
        output_names=outputs,
        dynamo=True,
        verbose=False,
    )
    assert written is not None
    written.model.metadata_props["raysweep"] = json.dumps(_facts(tokenizer))
    size = sum(tensor.numel() * tensor.element_size() for tensor in program.state_dict.values())
    written.save(file, external_data=size > LARGEST_BYTES)


def _facts(tokenizer: Tokenizer) -> dict[str, Any]:
    return {
        "codebook_sizes": tokenizer.codebook_sizes,
        "pixels_per_code": tokenizer.downsampling,
    }

"""encoder.pt2 and decoder.pt2: what torch.export makes, for torch without raysweep.

TorchScript, which did this before, is deprecated in torch.
"""

from pathlib import Path

import torch

from raysweep.export.folder import Graphs
from raysweep.export.graphs import require_agreement, require_graph, trace
from raysweep.pretrained import load

USE = """

`encoder.pt2` takes a float32 tensor (N, 3, H, W), RGB in [-1, 1], and gives a tuple of int64 code maps (N, h, w);
`decoder.pt2` takes these and gives frames:

```python
import torch
encode, decode = (torch.export.load(f"{name}.pt2").module() for name in ("encoder", "decoder"))
frames = decode(*encode(frames))
```
"""


def write_pt2(folder: Path) -> Graphs:
    """Adds them to an exported folder; ConfigError for a model that has no graph, ExperimentError where the graphs do
    something else than it does."""
    model = load(folder)
    require_graph(model.config.model)
    tokenizer, side = model.tokenizer, model.config.data.resolution
    programs = trace(tokenizer, side)
    encoder, decoder = folder / "encoder.pt2", folder / "decoder.pt2"
    torch.export.save(programs.encoder, encoder)
    torch.export.save(programs.decoder, decoder)
    encode, decode = (torch.export.load(file).module() for file in (encoder, decoder))
    found = require_agreement("pt2", tokenizer, side, encode, lambda codes: decode(*codes))
    return Graphs({"pt2": found._asdict()}, USE)

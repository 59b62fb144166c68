"""A model card: for people as text, and for the Hugging Face Hub as the YAML at its head.

huggingface.co/docs/hub/model-cards says what the Hub reads of it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import yaml

from raysweep.config import RunConfig
from raysweep.data.sources.places import entries_of
from raysweep.experiment.provenance import provenance
from raysweep.export.again import TOLERANCE, Again
from raysweep.export.kept import Kept
from raysweep.hub import TAGS
from raysweep.models.summary import PARTS, summarize
from raysweep.schema import Tree, flatten

SCORES = {
    "val/psnr": "PSNR (dB)",
    "val/ssim": "SSIM",
    "val/lpips": "LPIPS",
    "val/rfid": "rFID",
    "val/code_usage": "share of the codes in use",
    "val/bits_per_pixel": "bits per pixel",
}
"""The figures that the head of a card holds, and what they are called there."""
PICTURE = "\n\n![Validation frames above their reconstructions](reconstructions.png)"


@dataclass(frozen=True)
class Facts:
    """What a card tells beside the kept checkpoint."""

    again: Again
    graphs: str = ""
    """How to use the graphs in the folder; empty: there are none."""
    has_picture: bool = False
    made_with: Mapping[str, str] | None = None
    """Versions that the experiment was made with; None: not known."""


def model_card(kept: Kept, facts: Facts) -> str:
    config = kept.config
    sections = [
        _head(kept),
        _opening(kept),
        _use(facts.graphs),
        _figures(kept, facts.again) + (PICTURE if facts.has_picture else ""),
        _data(kept),
        _training(kept, facts.made_with or {}),
        f"## Model\n\n```\n{summarize(config.model, config.data.resolution, PARTS)}```",
    ]
    return "\n\n".join(sections) + "\n"


def _head(kept: Kept) -> str:
    figures = [
        {"type": name.removeprefix("val/"), "name": title, "value": kept.metrics[name]}
        for name, title in SCORES.items()
        if name in kept.metrics
    ]
    result = {
        "task": {"type": "image-to-image", "name": "Video reconstruction"},
        "dataset": {"type": "video", "name": _footage_name(kept.config), "split": "validation"},
        "metrics": figures,
    }
    named = [{"name": _name(kept), "results": [result]}]
    head = {
        "library_name": "raysweep",
        "tags": [*TAGS, kept.config.model.kind, kept.config.model.quantizer.kind],
        "metrics": [figure["type"] for figure in figures],
        "model-index": named if figures else [],
    }
    return f"---\n{yaml.safe_dump(head, sort_keys=False, allow_unicode=True)}---"


def _opening(kept: Kept) -> str:
    model = kept.config.model
    return f"""# {kept.experiment.folder.name}, trial {kept.trial}

A discrete video tokenizer ({model.kind}, {model.quantizer.kind} quantizer, {model.quantizer.codebook_size} codes)
for frames of {kept.config.data.resolution} px, trained for {kept.step} steps on `{_footage(kept.config)}`."""


def _use(graphs: str) -> str:
    return f"""```python
import raysweep
tokenizer = raysweep.load("this folder")
codes = tokenizer.encode_video("video.mp4")  # one (T, h, w) tensor of ids per code map
frames = tokenizer.decode(codes)  # a NumPy array (T, H, W, 3), uint8 RGB
```{graphs}"""


def _figures(kept: Kept, again: Again) -> str:
    rows = "\n".join(f"| {name} | {value:.5g} |" for name, value in kept.metrics.items())
    return f"## Figures\n\n| validation | value |\n|---|---|\n{rows}\n\n{_told_again(again)}"


def _told_again(again: Again) -> str:
    if again.why_not:
        return f"They are the trial's. This folder was not evaluated again: {again.why_not}."
    without = "".join(f" Without {name}: {why}" for name, why in again.left_out.items())
    near = f"within {TOLERANCE:g}" if again.largest_difference <= TOLERANCE else "near"
    return (
        f"They are the trial's. This folder, evaluated again on the whole validation set, comes {near}: the largest "
        f"difference is {again.largest_difference:.2g}, of {again.of}, on {again.device}.{without}"
    )


def _data(kept: Kept) -> str:
    facts = _validation(kept)
    rows = {"footage": f"`{_footage(kept.config)}`"}
    rows |= {
        name.replace("_", " "): f"{value:.6g}" for name, value in facts.items() if _is_number(value)
    }
    if "fingerprint" in facts:
        rows["fingerprint of the validation frames"] = f"`{facts['fingerprint']['frames']}`"
    return f"## Data\n\n{_table(rows)}"


def _training(kept: Kept, made_with: Mapping[str, str]) -> str:
    trained = ", ".join(f"{name} {value}" for name, value in made_with.items())
    exported = ", ".join(f"{name} {value}" for name, value in provenance().items())
    usual = flatten(RunConfig().model_dump(mode="json"))
    asked = flatten(kept.config.model_dump(mode="json"))
    settings = {path: value for path, value in asked.items() if usual.get(path) != value}
    written = yaml.safe_dump(settings, sort_keys=False, allow_unicode=True)
    return f"""## Training

Again, beside the experiment, or anywhere with its footage:

```
raysweep train --from {kept.experiment.as_word} --trial {kept.trial}
raysweep train --config config.json
```

- trained with {trained or "versions that were not written down"}
- exported with {exported}

Settings other than the defaults:

```yaml
{written}```"""


def _validation(kept: Kept) -> Tree:
    """The facts that the experiment wrote down about its validation set."""
    file = kept.experiment.validation_file
    facts: Tree = json.loads(file.read_text()) if file.exists() else {}
    return facts


def _footage(config: RunConfig) -> str:
    named = ", ".join(entries_of(config.data.source or str(config.data.store)))
    return named.replace("`", "'")


def _footage_name(config: RunConfig) -> str:
    """Without where it lies."""
    entries = entries_of(config.data.source or str(config.data.store))
    return ", ".join(PurePosixPath(entry).name for entry in entries)


def _name(kept: Kept) -> str:
    return f"{kept.experiment.folder.name}-{kept.trial}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)


def _table(rows: Mapping[str, str]) -> str:
    lines = "\n".join(f"| {name} | {value} |" for name, value in rows.items())
    return f"| | |\n|---|---|\n{lines}"

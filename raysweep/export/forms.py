"""The forms of an exported folder: what lies in it beside the weights."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from raysweep.export.folder import Graphs, no_graphs
from raysweep.export.onnx import require_onnx, write_onnx
from raysweep.export.pt2 import write_pt2


class Form(NamedTuple):
    write: Callable[[Path], Graphs]
    """Adds to a folder what the form has more."""
    require: Callable[[], None] = lambda: None
    """UserError where it cannot be written on this machine."""


FOLDERS: dict[str, Form] = {
    "safetensors": Form(no_graphs),
    "onnx": Form(write_onnx, require_onnx),
    "pt2": Form(write_pt2),
}

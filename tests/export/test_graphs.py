"""Graphs do what the model does, on other numbers and sizes of frames than were traced."""

import json
from pathlib import Path

import pytest
import torch

from raysweep.errors import ConfigError, ExperimentError
from raysweep.export.forms import FOLDERS
from raysweep.export.graphs import TOLERANCE, require_agreement
from raysweep.hub import write_model
from raysweep.models import Tokenizer
from raysweep.schema import Tree
from tests.models.pairs import FAMILIES, PAIRS, QUANTIZERS
from tests.tiny import tiny_parts, tiny_run

ATTENTION: Tree = {**FAMILIES["taming_vqgan"], "ch_mult": [1, 1], "attn_resolutions": []}
"""In the middle alone: a graph of a third of the size."""
MODELS = {**PAIRS, "attention": {**ATTENTION, "quantizer": QUANTIZERS["gradient"]}}
CASES = [
    ("onnx", "attention", ()),
    ("onnx", "conv-lfq", ()),
    ("pt2", "hierarchical-residual", ()),
    *((form, pair, pytest.mark.slow) for form in ("onnx", "pt2") for pair in PAIRS),
]


def exported(folder: Path, pair: str, **changes: object) -> Tokenizer:
    """A folder of a model with random weights, the batch statistics of one training step among them."""
    settings = {"model": MODELS[pair], **changes}
    tokenizer = tiny_parts(settings).state.tokenizer
    with torch.no_grad():
        tokenizer.train()(torch.rand(2, 3, 32, 32) * 2 - 1)
    write_model(folder, tiny_run(settings), tokenizer.state_dict())
    return tokenizer.eval()


@pytest.mark.parametrize(
    ("form", "pair"), [pytest.param(form, pair, marks=marks) for form, pair, marks in CASES]
)
def test_a_graph_does_what_the_model_does(form, pair, tmp_path) -> None:
    if form == "onnx":
        pytest.importorskip("onnxruntime")
    exported(tmp_path, pair)
    told, use = FOLDERS[form].write(tmp_path)
    assert told[form]["other_codes"] == 0
    assert told[form]["largest_difference"] <= TOLERANCE
    assert f"encoder.{form}" in use
    assert json.dumps(told)


def test_a_graph_that_does_something_else_is_refused(tmp_path) -> None:
    tokenizer = exported(tmp_path, "conv-ema")

    def encode(frames):
        return tokenizer.encode(frames).codes

    def decode(codes):
        return tokenizer.decode_codes(codes)

    whole = require_agreement("onnx", tokenizer, 32, encode, decode)
    assert (whole.largest_difference, whole.other_codes) == (0, 0)
    with pytest.raises(ExperimentError, match=r"onnx differs by 0\.001"):
        require_agreement("onnx", tokenizer, 32, encode, lambda codes: decode(codes) + 1e-3)
    with pytest.raises(ExperimentError, match=f"in {whole.codes} of {whole.codes} codes"):
        require_agreement("onnx", tokenizer, 32, lambda f: tuple(c + 1 for c in encode(f)), decode)


def test_codes_that_depend_on_the_batch_have_no_graph(tmp_path) -> None:
    quantizer = {**QUANTIZERS["optvq"], "exact": True}
    exported(tmp_path, "conv-optvq", **{"model.quantizer": quantizer})
    for form in ("onnx", "pt2"):
        with pytest.raises(
            ConfigError, match=r"model\.quantizer\.exact .* Export it as safetensors"
        ):
            FOLDERS[form].write(tmp_path)


def test_without_its_packages_onnx_is_refused_in_a_line(monkeypatch) -> None:
    monkeypatch.setattr("raysweep.export.onnx.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"onnx and onnxscript .* pip install 'raysweep\[onnx\]'"):
        FOLDERS["onnx"].require()

"""A model on one page, from settings or from an export, without Ray, footage or weights."""

import json
import sys

import pytest
import yaml

from tests.tiny import tiny_run


@pytest.fixture(autouse=True)
def _no_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)


def test_the_default_model_needs_no_words(run, folder):
    code, out, error = run("describe", "--set", "data.resolution=256")
    assert (code, error) == (0, "")
    assert "taming_vqgan with a gradient quantizer, for frames of 256 x 256 px" in out
    assert "72,141,699" in out
    assert list(folder.iterdir()) == []


def test_a_file_and_words_over_it(run, folder):
    (folder / "mine.yaml").write_text(yaml.safe_dump({"data": {"resolution": 64}}))
    words = ["describe", "--config", "mine.yaml", "--set", "model.quantizer.codebook_size=4096"]
    assert "16 tokens, 4 x 4, of 4,096 ids" in run(*words).out


def test_an_exported_model_by_its_folder(run, folder):
    (folder / "best").mkdir()
    settings = tiny_run().model_dump(mode="json")
    (folder / "best" / "config.json").write_text(json.dumps(settings))
    code, out, _ = run("describe", "best")
    assert code == 0
    assert "64 tokens, 8 x 8, of 32 ids, 4 px apart" in out
    assert "256 tokens, 16 x 16" in run("describe", "best", "--set", "data.resolution=64").out

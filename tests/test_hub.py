"""Models as the Hugging Face Hub keeps them: saved to a folder and loaded from it, without a network."""

import json
from pathlib import Path

import pytest
import torch
from huggingface_hub import ModelCard

from raysweep.hub import write_model
from raysweep.pretrained import Pretrained, load
from tests.tiny import clips, tiny_parts, tiny_run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("went to the network"))
    (tmp_path / "model").mkdir()
    write_model(tmp_path / "model", tiny_run(), tiny_parts().state.tokenizer.state_dict())
    return tmp_path


def test_what_is_saved_is_loaded(folder) -> None:
    saved = load(folder / "model")
    saved.save_pretrained(folder / "again")
    loaded = Pretrained.from_pretrained(folder / "again", device="cpu")
    assert loaded.config == saved.config
    frames = clips(1)[0].numpy()
    assert torch.equal(loaded.encode(frames)[0], saved.encode(frames)[0])
    card = ModelCard.load(folder / "again" / "README.md")
    assert card.data.library_name == "raysweep"
    assert "vq-vae" in card.data.tags


def test_what_tells_of_a_model_goes_with_it(folder) -> None:
    (folder / "model" / "README.md").write_text("---\nlibrary_name: raysweep\n---\n# mine\n")
    (folder / "model" / "metrics.json").write_text(json.dumps({"step": 1}))
    Pretrained.from_pretrained(folder / "model").save_pretrained(folder / "again")
    assert "# mine" in (folder / "again" / "README.md").read_text()
    assert json.loads((folder / "again" / "metrics.json").read_text()) == {"step": 1}

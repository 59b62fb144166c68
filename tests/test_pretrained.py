"""`raysweep.load`: what it takes, what it refuses, and what it does not import."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save, save_file

import raysweep
from raysweep.codec.source import Source
from raysweep.errors import ConfigError, DataError, ExperimentError
from raysweep.pretrained import Pretrained, load
from tests.data.media import write_video
from tests.tiny import EMA, tiny_parts, tiny_run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    changes = {"model.quantizer": EMA}
    config = tiny_run(changes).model_dump(mode="json")
    (folder / "config.json").write_text(json.dumps(config))
    save_file(tiny_parts(changes).state.tokenizer.state_dict(), folder / "model.safetensors")
    return folder


def test_a_video_becomes_codes_and_frames(folder, tmp_path) -> None:
    tokenizer = load(str(folder))
    (codes,) = tokenizer.encode_video(write_video(tmp_path / "video.mp4", frames=5))
    assert codes.shape == (5, 8, 8)
    assert codes.dtype == torch.int64
    frames = tokenizer.decode((codes,))
    assert frames.shape == (5, 32, 32, 3)
    assert frames.dtype == np.uint8


def test_a_video_is_coded_at_the_rate_of_training(folder, tmp_path) -> None:
    tokenizer, video = load(folder), write_video(tmp_path / "video.mp4", frames=10)
    (all_codes,) = tokenizer.encode_video(video)
    data = tokenizer.config.data.model_copy(update={"fps": 12})
    config = tokenizer.config.model_copy(update={"data": data})
    (codes,) = Pretrained(tokenizer.tokenizer, config, tokenizer.device).encode_video(video)
    assert torch.equal(codes, all_codes[::2])


def test_a_long_video_gives_the_codes_of_its_frames(folder, tmp_path) -> None:
    """More than pass through the network at once."""
    tokenizer, video = load(folder), write_video(tmp_path / "video.mkv", 40, 32, 32, codec="FFV1")
    frames = np.stack(list(Source(video).frames()))
    assert torch.equal(tokenizer.encode_video(video)[0], tokenizer.encode(frames)[0])


def test_a_video_becomes_a_token_file_and_comes_back(folder, tmp_path) -> None:
    tokenizer, video = load(folder), write_video(tmp_path / "video.mp4", frames=5)
    assert tokenizer.encode_file(video, tmp_path / "tokens.rsv").frames == 5
    tokenizer.decode_file(str(tmp_path / "tokens.rsv"), tmp_path / "back.mkv")
    frames = list(tokenizer.decode_frames(tmp_path / "tokens.rsv"))
    assert np.array_equal(np.stack(frames), np.stack(list(Source(tmp_path / "back.mkv").frames())))


def test_what_is_no_video_is_refused_by_its_name(folder, tmp_path) -> None:
    (tmp_path / "text.mp4").write_text("not a video")
    with pytest.raises(DataError, match=r"text\.mp4 is none: not a video"):
        load(folder).encode_video(tmp_path / "text.mp4")


def test_frames_of_any_size_it_can_take_are_coded(folder) -> None:
    frames = np.zeros((2, 40, 24, 3), np.uint8)
    assert load(folder).encode(frames)[0].shape == (2, 10, 6)
    with pytest.raises(ConfigError, match=r"multiples of 4 .* got 41x24\. Use 40x24"):
        load(folder).encode(np.zeros((2, 41, 24, 3), np.uint8))


def test_a_view_of_frames_is_coded_as_its_copy(folder) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
    seen, copied = load(folder).encode(frames[::-2]), load(folder).encode(frames[::-2].copy())
    assert torch.equal(seen[0], copied[0])


def test_a_loaded_model_does_not_train(folder) -> None:
    tokenizer = load(folder).tokenizer
    assert not any(module.training for module in tokenizer.modules())


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors"])
def test_a_folder_that_lacks_a_file_is_refused_by_its_name(folder, missing, tmp_path) -> None:
    for file in folder.iterdir():
        if file.name != missing:
            (tmp_path / file.name).write_bytes(file.read_bytes())
    with pytest.raises(ExperimentError, match=f"{missing} is missing"):
        load(tmp_path)


DAMAGED = [
    ("config.json", b"{", "config.json must be JSON"),
    ("config.json", b"\xff", "config.json must be JSON"),
    ("config.json", b"[]", "config.json must hold a run's settings, got list"),
    ("model.safetensors", b"torn", "model.safetensors must hold the weights"),
    (
        "model.safetensors",
        save({"lonely": torch.zeros(1)}),
        "model.safetensors must hold .*Missing key",
    ),
]


@pytest.mark.parametrize(("name", "content", "said"), DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_file_is_refused_in_one_line(folder, name, content, said, tmp_path) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(content if file.name == name else file.read_bytes())
    with pytest.raises(ExperimentError, match=said) as refusal:
        load(tmp_path)
    assert "\n" not in str(refusal.value)


def _modules_after(code: str) -> set[str]:
    listing = f"{code}\nimport sys\nprint(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", listing], capture_output=True, text=True, check=True
    )
    return {name.split(".")[0] for name in run.stdout.split()}


def test_importing_raysweep_imports_neither_torch_nor_ray() -> None:
    assert not {"torch", "ray"} & _modules_after("import raysweep")


def test_loading_a_model_imports_no_ray(folder) -> None:
    modules = _modules_after(f"import raysweep\nraysweep.load({str(folder)!r})")
    assert "torch" in modules
    assert "ray" not in modules


def test_public_names_are_found_and_others_are_not() -> None:
    assert raysweep.load is load
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        raysweep.lode  # noqa: B018

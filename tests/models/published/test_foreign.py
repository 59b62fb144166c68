"""Reading a stranger's file: its tensors come out, and nothing in it is run."""

import os
import pickle
import sys
import tarfile
import zipfile
from collections import defaultdict
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from raysweep.errors import ConfigError
from raysweep.models.published.foreign import read

FORMATS = {
    "zip": {},
    "legacy": {"_use_new_zipfile_serialization": False},
    "zip, protocol 4": {"pickle_protocol": 4},
    "legacy, protocol 4": {"_use_new_zipfile_serialization": False, "pickle_protocol": 4},
}


class Harmful:
    """Runs its words as a shell command when unpickled."""

    def __init__(self, words: str) -> None:
        self.words = words

    def __reduce__(self):
        return os.system, (self.words,)


class Evaluated(Harmful):
    def __reduce__(self):
        return eval, (f"__import__('os').system({self.words!r})",)


@pytest.fixture
def callback(monkeypatch: pytest.MonkeyPatch):
    """An object of a class whose module the reader cannot import."""
    module = ModuleType("bygone_lightning")
    module.ModelCheckpoint = type("ModelCheckpoint", (), {"__module__": "bygone_lightning"})
    monkeypatch.setitem(sys.modules, "bygone_lightning", module)
    return module.ModelCheckpoint()


def assert_equal(read, wanted) -> None:
    assert list(read) == list(wanted)
    for name, tensor in wanted.items():
        assert read[name].dtype == tensor.dtype
        assert torch.equal(read[name], tensor)


STATE = {
    "weight": torch.arange(6.0).view(2, 3).t(),  # not contiguous
    "half": torch.ones(2).half(),
    "brain": torch.ones(3).bfloat16(),
    "count": torch.tensor(7),
}


@pytest.mark.parametrize("options", FORMATS.values(), ids=FORMATS)
def test_tensors_of_a_lightning_checkpoint_are_read_without_lightning(
    options, callback, tmp_path, monkeypatch
) -> None:
    tree = {
        "epoch": 3,
        "state_dict": STATE,
        "parameter": torch.nn.Parameter(torch.ones(2)),
        "callbacks": {type(callback): {"best": torch.ones(1), "model": callback}},
        "hyper_parameters": defaultdict(list, {"lr": [np.float64(1e-3)]}),
        "names": {"a", "b"},
    }
    torch.save(tree, tmp_path / "last.ckpt", **options)
    monkeypatch.delitem(sys.modules, "bygone_lightning")
    found = read(tmp_path / "last.ckpt")
    assert found["epoch"] == 3
    assert torch.equal(found["parameter"], tree["parameter"])
    assert_equal(found["state_dict"], STATE)


@pytest.mark.parametrize("kind", [Harmful, Evaluated])
@pytest.mark.parametrize("options", FORMATS.values(), ids=FORMATS)
def test_no_code_is_run(kind, options, tmp_path) -> None:
    harm = tmp_path / "harm"
    tree = {"evil": kind(f"touch {harm}"), "state_dict": STATE}
    torch.save(tree, tmp_path / "evil.pt", **options)
    assert_equal(read(tmp_path / "evil.pt")["state_dict"], STATE)
    assert not harm.exists()
    torch.load(tmp_path / "evil.pt", weights_only=False)  # the trap was live
    assert harm.exists()


def test_a_file_cannot_change_the_functions_that_it_may_call(tmp_path) -> None:
    empty, tampering = (
        pickle.dumps({}, protocol=2),
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n}X\x04\x00\x00\x00evilK\x01sb.",
    )
    torch.save({}, tmp_path / "a.pt", _use_new_zipfile_serialization=False)
    written = (tmp_path / "a.pt").read_bytes()
    assert written.count(empty) == 1
    (tmp_path / "a.pt").write_bytes(written.replace(empty, tampering))
    assert vars(read(tmp_path / "a.pt")) == {"evil": 1}  # what it got was its own
    assert "evil" not in vars(torch._utils._rebuild_tensor_v2)


def test_folders_of_ours_and_safetensors_are_read(tmp_path) -> None:
    state = {name: tensor.contiguous() for name, tensor in STATE.items()}
    for folder, write in {"exported": save_file, "checkpoint": torch.save}.items():
        (tmp_path / folder).mkdir()
        name = "model.safetensors" if write is save_file else "state.pt"
        write(state, tmp_path / folder / name)
        found = read(tmp_path / folder)
        assert_equal({name: found[name] for name in STATE}, state)


def _tar(path: Path) -> None:
    path.with_name("storages").write_bytes(b"")
    with tarfile.open(path, "w") as tar:
        tar.add(path.with_name("storages"), "storages")


def _program(path: Path) -> None:
    torch.save(STATE, path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(f"{path.stem}/constants.pkl", pickle.dumps(()))


def _torn(path: Path) -> None:
    torch.save(STATE, path)
    path.write_bytes(path.read_bytes()[:-200])


DAMAGED = {
    "tar": _tar,
    "program": _program,
    "torn": _torn,
    "empty": Path.touch,
    "text": lambda path: path.write_text("<html>not found</html>"),
    "plain pickle": lambda path: path.write_bytes(pickle.dumps({"a": 1})),
    "harmful pickle": lambda path: path.write_bytes(pickle.dumps(Harmful("false"))),
}


@pytest.mark.parametrize("make", DAMAGED.values(), ids=DAMAGED)
@pytest.mark.parametrize("name", ["model.ckpt", "model.safetensors"])
def test_what_is_no_file_of_tensors_is_refused_in_one_line(make, name, tmp_path) -> None:
    make(tmp_path / name)
    with pytest.raises(ConfigError, match=f"{tmp_path / name} cannot be read") as refusal:
        read(tmp_path / name)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("options", FORMATS.values(), ids=FORMATS)
def test_a_file_with_any_byte_changed_is_read_or_refused(options, tmp_path, callback) -> None:
    path = tmp_path / "model.ckpt"
    torch.save({"state_dict": STATE, "other": callback}, path, **options)
    whole = path.read_bytes()
    for position in range(0, len(whole), 7):
        changed = bytearray(whole)
        changed[position] ^= 0x55
        path.write_bytes(changed)
        try:
            read(path)
        except ConfigError:
            continue


@pytest.mark.parametrize("there", [False, True], ids=["absent", "empty folder"])
def test_what_is_not_there_is_refused_by_its_name(there, tmp_path) -> None:
    path = tmp_path / "model"
    if there:
        path.mkdir()
    with pytest.raises(ConfigError, match=f"that exists.* got {path}"):
        read(path)

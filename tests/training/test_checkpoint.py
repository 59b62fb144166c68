"""A checkpoint is whole or absent, says what it is, and runs no code."""

from functools import partial
from pathlib import Path

import pytest
import torch

from raysweep.errors import ExperimentError
from raysweep.search.objective import Goal, Objective
from raysweep.search.ranking import improves
from raysweep.training import checkpoint
from tests.tiny import tiny_parts


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    parts = tiny_parts()
    checkpoint.save(tmp_path / "made", parts.state, {"val/psnr": 20.0}, parts.settings)
    return tmp_path / "made"


def test_what_is_saved_is_loaded(saved) -> None:
    loaded = checkpoint.load(saved)
    version = {"version": checkpoint.VERSION}
    torch.testing.assert_close(
        loaded, {**tiny_parts().state.state_dict(), **version}, atol=0, rtol=0
    )
    assert checkpoint.saved_metrics(saved) == {"val/psnr": 20.0}


def test_a_missing_checkpoint_is_an_error_that_names_the_folder(tmp_path) -> None:
    with pytest.raises(ExperimentError, match=f"no checkpoint in {tmp_path}"):
        checkpoint.load(tmp_path)


def test_another_format_is_refused(saved) -> None:
    torch.save({"version": 0}, saved / "state.pt")
    with pytest.raises(ExperimentError, match="must be version 1 to 2, got 0"):
        checkpoint.load(saved)


def test_the_first_format_is_brought_up_to_this_one(saved) -> None:
    old = checkpoint.load(saved) | {"version": 1}
    for name in ("scale", "logit_averages", "skipped", "accumulate", "collapsed"):
        del old[name]
    torch.save(old, saved / "state.pt")
    state = tiny_parts().state
    state.load_state_dict(checkpoint.load(saved))
    torch.testing.assert_close(state.state_dict(), tiny_parts().state.state_dict(), atol=0, rtol=0)


@pytest.mark.parametrize("kept", [0, 100, -100])
def test_a_torn_checkpoint_is_refused_in_one_line(saved, kept) -> None:
    whole = (saved / "state.pt").read_bytes()
    (saved / "state.pt").write_bytes(whole[:kept])
    with pytest.raises(ExperimentError, match="must be a whole checkpoint") as refusal:
        checkpoint.load(saved)
    assert "\n" not in str(refusal.value)


class _Harmful:
    def __reduce__(self):
        return (Path.touch, (Path("harm"),))


def test_no_code_is_run(saved, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"version": 2, "tokenizer": _Harmful()}, saved / "state.pt")
    with pytest.raises(ExperimentError, match="UnpicklingError"):
        checkpoint.load(saved)
    assert not Path("harm").exists()


def _made(folder: Path, step: int, **metrics: float) -> Path:
    folder.mkdir()
    (folder / "metrics.json").write_text(
        f'{{"step": {step}, "metrics": {{{", ".join(f""" "val/{k}": {v}""" for k, v in metrics.items())}}}}}'
    )
    return folder


BEST = [
    pytest.param([20.0, 21.0, 20.5], "max", 1, id="higher is better"),
    pytest.param([0.5, 0.3, 0.4], "min", 1, id="lower is better"),
    pytest.param([20.0, 20.0], "max", 0, id="the first of equals"),
    pytest.param([0.3], "min", 0, id="the only one"),
]


def by(direction: str) -> checkpoint.Improves:
    return partial(improves, Objective((Goal("val/figure", direction),)))


@pytest.mark.parametrize(("values", "direction", "kept"), BEST)
def test_the_best_is_kept(values, direction, kept, tmp_path) -> None:
    for step, value in enumerate(values):
        made = _made(tmp_path / str(step), step, figure=value)
        metrics = {"val/figure": value, "val/other": 1.0}
        checkpoint.keep_best(made, metrics, {"val/figure": by(direction)}, tmp_path / "best")
    assert checkpoint.saved_metrics(tmp_path / "best" / "figure") == {"val/figure": values[kept]}
    assert [path.name for path in (tmp_path / "best").iterdir()] == ["figure"]


def test_what_improves_nothing_is_not_kept(tmp_path) -> None:
    made = _made(tmp_path / "0", 0, psnr=20.0)
    kept = {"val/lpips": lambda metrics, kept: False}
    checkpoint.keep_best(made, {"val/psnr": 20.0}, kept, tmp_path / "best")
    assert not (tmp_path / "best").exists()


def test_a_replaced_folder_leaves_nothing_behind(tmp_path) -> None:
    old, new = _made(tmp_path / "target", 1), _made(tmp_path / "source", 2)
    (old / "extra").touch()
    checkpoint.replace_folder(new, old)
    assert {path.name for path in tmp_path.iterdir()} == {"target", "source"}
    assert {path.name for path in old.iterdir()} == {"metrics.json"}


def test_a_removed_folder_is_gone_and_an_absent_one_is_no_error(tmp_path) -> None:
    folder = _made(tmp_path / "0", 0)
    checkpoint.remove_folder(folder)
    checkpoint.remove_folder(folder)
    assert not list(tmp_path.iterdir())

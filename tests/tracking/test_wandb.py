"""Weights & Biases, without a login."""

from pathlib import Path

import pytest

from raysweep.tracking.wandb import WandB, is_offline
from tests.tracking.made import some_picture


@pytest.fixture
def _no_login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))


@pytest.mark.usefixtures("_no_login")
def test_wandb_without_a_login_writes_a_run_that_can_be_sent_later(tmp_path: Path) -> None:
    for _ in range(2):  # the second goes on with the first's run
        run = WandB(
            tmp_path,
            project="p",
            group="experiment",
            name="0000",
            settings={"seed": 3},
            job_type="train_model",
        )
        run.scalars(10, {"val/psnr": 20.0})
        run.image(10, "val/pictures", some_picture())
        run.close()
    run_id = (tmp_path / "wandb" / "run-id").read_text()
    (file, *_) = sorted(tmp_path.glob(f"wandb/offline-run-*-{run_id}/run-{run_id}.wandb"))
    content = file.read_bytes()
    for part in (b"val/psnr", b"experiment", b"0000", b"seed", b"train_model"):
        assert part in content
    assert {path.stem for path in tmp_path.glob("wandb/*/*.wandb")} == {f"run-{run_id}"}
    assert list(file.parent.glob("files/media/images/val/pictures*.png"))


LOGINS = [
    pytest.param({}, "", True, id="nothing"),
    pytest.param({"WANDB_API_KEY": "k"}, "", False, id="a key"),
    pytest.param({}, "machine api.wandb.ai login user password k", False, id="a login"),
    pytest.param({}, "machine elsewhere login user password k", True, id="a login elsewhere"),
    pytest.param({"WANDB_API_KEY": "k", "WANDB_MODE": "offline"}, "", True, id="asked for"),
    pytest.param({"WANDB_MODE": "online"}, "", False, id="asked against"),
]


@pytest.mark.usefixtures("_no_login")
@pytest.mark.parametrize(("environment", "login", "expected"), LOGINS)
def test_wandb_is_offline_without_a_login(
    environment: dict[str, str],
    login: str,
    expected: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "netrc").write_text(login)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert is_offline() is expected

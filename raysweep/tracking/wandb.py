"""Weights & Biases: one run per trial, the experiment as its group.

Without a key (WANDB_API_KEY, or a netrc login) the run is kept in the trial's folder, offline, and
`wandb sync` sends it later.
"""

import netrc
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from raysweep.tracking.base import Picture, Tracker

URL_FILE = Path("wandb") / "url"
"""In a trial's folder: where its run is seen; absent while it is offline."""
_DEFAULT_HOST = "https://api.wandb.ai"


class WandB(Tracker):
    """Logs against our own `step`: W&B's counter refuses the steps that a resumed run repeats."""

    def __init__(
        self,
        folder: Path,
        *,
        project: str,
        group: str,
        name: str,
        settings: Mapping[str, Any],
        job_type: str | None = None,
    ) -> None:
        """`folder` keeps the run's files and its id, so that a resumed trial goes on in the same run."""
        import wandb  # takes a second, and most runs do without

        offline = is_offline()
        self._run = wandb.init(
            project=project,
            group=group,
            name=name,
            job_type=job_type,
            id=run_id(folder / "wandb"),
            config=dict(settings),
            dir=str(folder),
            mode="offline" if offline else None,
            resume=None if offline else "allow",
            reinit="create_new",
            settings=wandb.Settings(
                silent=True, console="off", disable_git=True, disable_code=True
            ),
        )
        self._run.define_metric("*", step_metric="step")
        self._as_image = wandb.Image
        if self._run.url is not None:
            publish(self._run.url, folder / URL_FILE)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        self._run.log({"step": step, **values})

    def image(self, step: int, name: str, picture_HWC: Picture) -> None:
        self._run.log({"step": step, name: self._as_image(picture_HWC)})

    def note(self, step: int, text: str) -> None:
        """Holds no text."""

    def close(self) -> None:
        self._run.finish()


def is_offline() -> bool:
    """No WANDB_MODE says otherwise, and there is no key to log in with."""
    if "WANDB_MODE" in os.environ:
        return os.environ["WANDB_MODE"] == "offline"
    return "WANDB_API_KEY" not in os.environ and not _has_login()


def _has_login() -> bool:
    host = urlparse(os.environ.get("WANDB_BASE_URL", _DEFAULT_HOST)).hostname
    assert host is not None
    path = Path(os.environ.get("NETRC", Path.home() / ".netrc"))
    try:
        return netrc.netrc(path).authenticators(host) is not None
    except (FileNotFoundError, netrc.NetrcParseError):
        return False


def run_id(folder: Path) -> str:
    """Drawn once and kept: a name would run into an older run of that name in the same project."""
    path = folder / "run-id"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(os.urandom(8).hex())
    return path.read_text()


def publish(url: str, file: Path) -> None:
    """Kept for `raysweep status`, which runs in another process."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(url)

"""SwanLab: one experiment per trial, in the cloud or on a server of one's own.

Without a key (SWANLAB_API_KEY, or what `swanlab login` left) it is kept in the trial's folder, offline, and
`swanlab sync` sends it later.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from raysweep.tracking.base import Picture, Tracker
from raysweep.tracking.wandb import publish, run_id

URL_FILE = Path("swanlab") / "url"
"""In a trial's folder: where its experiment is seen."""


class SwanLab(Tracker):
    """Written for swanlab 0.10, which is imported only here."""

    def __init__(
        self,
        folder: Path,
        *,
        project: str,
        name: str,
        group: str,
        settings: Mapping[str, Any],
        tags: Sequence[str] = (),
        notes: str | None = None,
        host: str | None = None,
    ) -> None:
        """`folder` keeps the experiment's files, its id and its address: a resumed trial goes on in it."""
        import swanlab

        online = _has_key()
        if online and host is not None:
            swanlab.login(api_key=os.environ.get("SWANLAB_API_KEY"), host=host)
        self._run = swanlab.init(
            project=project,
            name=name,
            group=group,
            description=notes,
            tags=list(tags),
            config=dict(settings),
            log_dir=str(folder / "swanlab"),
            mode="online" if online else "offline",
            id=run_id(folder / "swanlab") if online else None,
            resume="allow" if online else None,
            reinit=True,
        )
        self._as_image = swanlab.Image
        if online:
            publish(self._run.url, folder / URL_FILE)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        self._run.log(dict(values), step=step)

    def image(self, step: int, name: str, picture_HWC: Picture) -> None:
        self._run.log({name: self._as_image(picture_HWC)}, step=step)

    def note(self, step: int, text: str) -> None:
        """Holds no text."""

    def close(self) -> None:
        self._run.finish()


def _has_key() -> bool:
    home = os.environ.get("SWANLAB_ROOT") or os.environ.get("SWANLAB_SAVE_DIR")
    kept = Path(home or Path.home() / ".swanlab") / ".netrc"
    return "SWANLAB_API_KEY" in os.environ or kept.exists()

"""What an experiment was made with."""

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("raysweep", "ray", "torch", "optuna")


def provenance() -> dict[str, str]:
    """Versions, and where raysweep runs from a git checkout, its revision; `+` after it: with changes."""
    versions = {package: version(package) for package in PACKAGES}
    known = {"python": platform.python_version(), **versions, "git revision": _revision()}
    return {name: value for name, value in known.items() if value}


def _revision() -> str:
    """Empty where there is none."""
    source = Path(__file__).parent
    revision = _git(source, "rev-parse", "HEAD")
    is_changed = revision and _git(source, "status", "--porcelain", "--untracked-files=no", ".")
    return f"{revision}+" if is_changed else revision


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:  # no git on this machine
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""

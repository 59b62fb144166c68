"""A video file -> a file of its tokens, and back. `docs/codec.md` says byte by byte what lies in one."""

from collections.abc import Callable

Progress = Callable[[int], None]
"""Told how many frames more are done."""


def unseen(frames: int) -> None:
    """Shows nobody."""

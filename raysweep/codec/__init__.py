"""A video file -> a file of its tokens, and back. `docs/codec.md` says byte by byte what lies in one."""

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Told how many frames are done, and of how many, as far as that is known."""


def unseen(done: int, of: int) -> None:
    """Shows nobody."""

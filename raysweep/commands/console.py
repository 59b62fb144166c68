"""What a person sees in the terminal."""

import sys

from rich.console import Console

_WIDTH_OF_A_FILE = 160
"""Columns where nobody's terminal says how many there are."""

console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH_OF_A_FILE)
_beside = Console(highlight=False, stderr=True)


def say(text: str) -> None:
    """One line of progress; brackets are text, not markup."""
    console.print(text, markup=False, soft_wrap=True)


def say_beside(text: str) -> None:
    """The same on stderr, where what is printed is for another program."""
    _beside.print(text, markup=False, soft_wrap=True)


def title(text: str) -> None:
    console.print(f"\n{text}", style="bold", markup=False)

"""What a person sees in the terminal."""

import sys

from rich.console import Console

console = Console(file=sys.stdout, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """One line of progress; brackets are text, not markup."""
    console.print(text, markup=False)


def title(text: str) -> None:
    console.print(f"\n{text}", style="bold", markup=False)

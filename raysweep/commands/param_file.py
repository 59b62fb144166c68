"""A settings file of either system as a tree; of an old one, the account of what became of it."""

from collections.abc import Sequence
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from raysweep.commands.console import console, say, title
from raysweep.config import read_file
from raysweep.legacy import Mapped, Translation, is_param_file, translate
from raysweep.schema import Tree


def read_settings(path: Path, gpus: float, other_source: bool, of_runs_alone: bool = False) -> Tree:
    """`gpus`: of this machine; `other_source`: footage is named elsewhere, and the file's is not used;
    `of_runs_alone`: so is where experiments lie. What an old file's settings became is printed."""
    written = read_file(path)
    if not is_param_file(written):
        return written
    translation = translate(written, gpus, other_source, of_runs_alone)
    print_translation(translation, path.name)
    return translation.settings


def print_translation(translation: Translation, name: str) -> None:
    """Lines in a file, tables in a terminal."""
    title(f"what became of {name}")
    _print_mapped(translation.mapped)
    if translation.listed:
        title(f"what sets nothing, of {name}")
        _print_rows(
            ("setting", "why"),
            [(_old(row.old, row.value), row.reason) for row in translation.listed],
        )


def _print_mapped(rows: Sequence[Mapped]) -> None:
    shown = [(_old(row.old, row.value), *_ours(row)) for row in rows]
    _print_rows(("was", "is", "note"), shown)


def _print_rows(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if not console.is_terminal:
        for old, new, *note in rows:
            say(f"{old} -> {new}" + "".join(f" ({text})" for text in note if text))
        return
    table = Table()
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*map(escape, row))
    console.print(table)


def _old(path: str, value: object) -> str:
    return f"{path} = {_short(value)}" if path else "(not given)"


def _ours(row: Mapped) -> tuple[str, str]:
    """The setting, and what should be known about it."""
    return (f"{row.path} = {_short(row.became)}", row.note) if row.path else (row.note, "")


def _short(value: object) -> str:
    """A list of a thousand files is not read."""
    text = str(value)
    return text if len(text) <= 100 else f"{text[:97]}..."

"""The command line: words in, a call and an exit code out. 0 done, 1 it failed, 2 the input is wrong."""

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from raysweep.cli import looking, models, sweeping, training
from raysweep.errors import RaysweepError, UserError

STARTS_NOTHING = {"dry_run", "estimate", "verify"}
"""Words with which a command leaves nothing that could go on."""
COMMANDS = training.COMMANDS | sweeping.COMMANDS | looking.COMMANDS | models.COMMANDS


def main(words: Sequence[str] | None = None) -> int:
    typed = sys.argv[1:] if words is None else words
    goes_on = None
    try:
        arguments = parser().parse_args(typed)
        arguments.typed = typed
        command = COMMANDS[arguments.command]
        goes_on = None if STARTS_NOTHING & _given(arguments) else command.goes_on
        return command.run(arguments) or 0
    except UserError as error:
        return _told(_one_line(error), 2)
    except RaysweepError as error:
        return _told(_one_line(error), 1)
    except KeyboardInterrupt:
        return _told(f"interrupted; {goes_on} goes on from here" if goes_on else "interrupted", 1)


def _given(arguments: argparse.Namespace) -> set[str]:
    """Names of what was said."""
    return {name for name, value in vars(arguments).items() if value}


def _told(line: str, code: int) -> int:
    print(f"raysweep: {line}", file=sys.stderr)
    return code


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message}. See `{self.prog} --help`.")


def parser() -> argparse.ArgumentParser:
    """`command` of what it parses is the command's name; UserError where words are wrong."""
    top = _Parser(
        prog="raysweep", description="Finds, trains and exports the best discrete video tokenizer."
    )
    commands = top.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)
    for name, (summary, add_words, *_) in COMMANDS.items():
        described = f"{summary[0].upper()}{summary[1:]}."
        command = commands.add_parser(name, help=summary, description=described)
        command.set_defaults(command=name)
        add_words(command)
    return top


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())

"""Commands that look at a sweep, while it runs and after."""

import argparse

from raysweep.cli.command import Command, experiment_word
from raysweep.errors import UserError


def _status_words(parser: argparse.ArgumentParser) -> None:
    experiment_word(parser)
    parser.add_argument(
        "--watch",
        action="store_true",
        help="stay, and show it as it changes, until its driver ends or Ctrl-C",
    )


def _status(arguments: argparse.Namespace) -> None:
    from raysweep.commands.status import status
    from raysweep.commands.watch import watch
    from raysweep.experiment.mirror import opened

    show = watch if arguments.watch else status
    show(opened(arguments.experiment))


def _compare_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("experiments", nargs="+", metavar="EXPERIMENT")
    parser.add_argument(
        "--html",
        metavar="FILE",
        help="a page that needs nothing beside it (default: report.html in the first experiment, where neither "
        "--csv nor --json is asked for)",
    )
    parser.add_argument("--csv", metavar="FILE", help="a line a trial, best first; -: print it")
    parser.add_argument(
        "--json", metavar="FILE", help="the same with all validations and settings; -: print it"
    )
    parser.add_argument(
        "--top",
        type=int,
        default=6,
        metavar="N",
        help="trials whose pictures the page shows, the best ones (default: 6; 0: none)",
    )
    parser.add_argument(
        "--trial",
        action="append",
        default=[],
        metavar="ID",
        help="one more trial to show by pictures; as often as there are such",
    )
    parser.add_argument(
        "--serve", action="store_true", help="serve the page, and renew it while the sweep runs"
    )
    parser.add_argument(
        "--host",
        help="with --serve: the address to listen at (default: 127.0.0.1, which only this machine reaches)",
    )
    parser.add_argument(
        "--port", type=int, help="with --serve (default: 8267; 0: one that is free)"
    )


def _compare(arguments: argparse.Namespace) -> None:
    from raysweep.commands import compare
    from raysweep.commands.pictures import asked

    wanted = compare.Wanted(arguments.html, arguments.csv, arguments.json)
    pictures = asked(arguments.trial, arguments.top)
    if not arguments.serve:
        if arguments.host is not None or arguments.port is not None:
            raise UserError("--host and --port go with --serve, which is missing. Add it.")
        return compare.write(arguments.experiments, wanted, pictures)
    if any(wanted):
        raise UserError(
            "--serve writes no file, and --html, --csv or --json names one. Leave one out."
        )
    host, port = arguments.host or "127.0.0.1", arguments.port
    return compare.serve(arguments.experiments, pictures, host, 8267 if port is None else port)


COMMANDS = {
    "status": Command("the trials of an experiment, best first", _status_words, _status),
    "compare": Command(
        "which trial won and why, as a page for a browser or as a table", _compare_words, _compare
    ),
}

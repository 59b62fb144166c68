"""The command line: words in, a call and an exit code out. 0 done, 1 it failed, 2 the input is wrong."""

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from raysweep.arguments import parser
from raysweep.errors import RaysweepError, UserError

if TYPE_CHECKING:
    from raysweep.commands.errand import Errand
    from raysweep.commands.plan import Plan, Request
    from raysweep.search.study import Space

Command = Callable[[argparse.Namespace], int | None]
"""None: done, as 0."""


def main(words: Sequence[str] | None = None) -> int:
    typed = sys.argv[1:] if words is None else words
    try:
        arguments = parser().parse_args(typed)
        arguments.typed = typed
        return COMMANDS[arguments.command](arguments) or 0
    except UserError as error:
        print(f"raysweep: {_one_line(error)}", file=sys.stderr)
        return 2
    except RaysweepError as error:
        print(f"raysweep: {_one_line(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        same = typed[:1] in (["prepare"], ["tokenize"])
        again = "the same command" if same else "`raysweep resume`"
        print(f"raysweep: interrupted; {again} goes on from here", file=sys.stderr)
        return 1


def _demo(arguments: argparse.Namespace) -> None:
    from raysweep.commands.demo import demo

    demo(arguments.storage)


def _prepare(arguments: argparse.Namespace) -> None:
    from raysweep.commands import prepare

    request = _request(arguments)
    if arguments.verify:
        return prepare.verify(request)
    if arguments.dry_run:
        return prepare.estimate(request)
    return prepare.prepare(request, update=arguments.update, preview=arguments.preview)


def _train(arguments: argparse.Namespace) -> None:
    from raysweep.commands import train

    if arguments.origin is None:
        if arguments.trial is not None:
            raise UserError("--trial goes with --from EXPERIMENT, which is missing. Name both.")
        return train.train(_request(arguments), arguments.dry_run)
    given = [word for word in ("config", "data", "name", "storage") if getattr(arguments, word)]
    if given:
        raise UserError(
            f"--from takes all settings from a trial, and --{given[0]} was given. Change some with --set."
        )
    trial = arguments.trial or "best"
    return train.again(arguments.origin, trial, arguments.set, arguments.dry_run)


def _describe(arguments: argparse.Namespace) -> None:
    from raysweep.commands.describe import describe
    from raysweep.commands.plan import Request

    describe(arguments.model, Request(config=arguments.config, assignments=arguments.set))


def _sweep(arguments: argparse.Namespace) -> int | None:
    from raysweep.commands.dry_run import print_plan
    from raysweep.commands.plan import check, compose
    from raysweep.commands.spaces import load_space

    if (arguments.space is None) is (arguments.tasks is None):
        raise UserError("sweep takes a space or --tasks FOLDER, and one of them. Name one.")
    if arguments.price is not None and not arguments.estimate:
        raise UserError("--price goes with --estimate, which is missing. Name both.")
    if arguments.tasks is not None:
        return _sweep_tasks(arguments)
    space = load_space(arguments.space)
    plan = check(compose(_request(arguments), space, arguments.space), space)
    if arguments.dry_run:
        print_plan(plan)
        return None
    if arguments.estimate:
        _forecast(plan, space.space, arguments.price)
        return None
    if arguments.supervise:
        return _supervised(arguments, plan.experiment.where)
    from raysweep.commands.sweep import start  # here, since a dry run does without Ray

    start(plan, space)
    return None


def _sweep_tasks(arguments: argparse.Namespace) -> int | None:
    from raysweep.commands.dry_run import print_tasks
    from raysweep.commands.plan import check, compose_tasks

    given = [word for word in ("config", "trials", "warm_start") if getattr(arguments, word)]
    if given:
        raise UserError(
            f"--tasks takes all settings from its files, and --{given[0].replace('_', '-')} was given. Change some with --set."
        )
    plan = check(compose_tasks(_request(arguments), arguments.tasks), None)
    if arguments.dry_run:
        print_tasks(plan)
        return None
    if arguments.estimate:
        _forecast(plan, None, arguments.price)
        return None
    if arguments.supervise:
        return _supervised(arguments, plan.experiment.where)
    from raysweep.commands.sweep import start

    start(plan, None)
    return None


def _forecast(plan: "Plan", space: "Space | None", price: float | None) -> None:
    from raysweep.commands.forecast import forecast

    forecast(plan, space, price)


def _resume(arguments: argparse.Namespace) -> int | None:
    from raysweep.experiment.mirror import opened

    experiment = opened(arguments.experiment)
    if arguments.supervise:
        return _supervised(arguments, experiment.where)
    from raysweep.cluster.runtime import wait_for_head
    from raysweep.commands.console import say
    from raysweep.commands.control import extension
    from raysweep.commands.standing import standing
    from raysweep.commands.supervise import note_restart

    if arguments.if_died:
        wait_for_head(say)
        note_restart(experiment)
    more = extension(standing(experiment), arguments.trials, arguments.steps, arguments.set)
    from raysweep.commands.sweep import resume  # here, since a refusal does without Ray

    resume(experiment, more)
    return None


def _supervised(arguments: argparse.Namespace, experiment: str) -> int:
    from raysweep.commands.supervise import in_a_process, supervise

    shortest, whole = "--su", "--supervise"  # options may be cut short
    words = [
        word
        for word in arguments.typed
        if not (word.startswith(shortest) and whole.startswith(word))
    ]
    return supervise(in_a_process, words, experiment)


def _submit(arguments: argparse.Namespace) -> int:
    from raysweep.commands.submit import submit

    return submit(
        _errand(arguments.errand),
        arguments.address,
        arguments.env,
        wait=not arguments.no_wait,
        again=arguments.supervise,
        dry_run=arguments.dry_run,
    )


def _errand(words: Sequence[str]) -> "Errand":
    from raysweep.commands.errand import Errand

    asked = parser().parse_args(words)
    if asked.command not in ("sweep", "train", "resume", "prepare"):
        raise UserError(
            f"a cluster is sent sweep, train, resume or prepare, got {words[0]}. Run it here."
        )
    there = getattr(asked, "experiment", None) or getattr(asked, "origin", None)
    if there is not None:
        return Errand(words, experiment=str(there))
    space, tasks = getattr(asked, "space", None), getattr(asked, "tasks", None)
    return Errand(words, _request(asked), space, tasks)


def _stop(arguments: argparse.Namespace) -> None:
    from raysweep.commands.control import stop
    from raysweep.experiment.mirror import opened

    stop(opened(arguments.experiment), arguments.trial)


def _enqueue(arguments: argparse.Namespace) -> None:
    from raysweep.commands.control import enqueue
    from raysweep.experiment.mirror import opened

    enqueue(opened(arguments.experiment), arguments.set)


def _pause(arguments: argparse.Namespace) -> None:
    from raysweep.commands.control import pause
    from raysweep.experiment.mirror import opened

    pause(opened(arguments.experiment))


def _unpause(arguments: argparse.Namespace) -> None:
    from raysweep.commands.control import unpause
    from raysweep.experiment.mirror import opened

    experiment = opened(arguments.experiment)
    if unpause(experiment):
        from raysweep.commands.sweep import resume

        resume(experiment)


def _status(arguments: argparse.Namespace) -> None:
    from raysweep.commands.status import status
    from raysweep.commands.watch import watch
    from raysweep.experiment.mirror import opened

    show = watch if arguments.watch else status
    show(opened(arguments.experiment))


def _export(arguments: argparse.Namespace) -> None:
    from raysweep.commands.export import export_front, export_trial
    from raysweep.experiment.mirror import opened

    experiment = opened(arguments.experiment)
    if arguments.trial == "pareto":
        export_front(experiment, arguments.out, arguments.format)
    else:
        export_trial(experiment, arguments.trial, arguments.out, arguments.format)


def _tokenize(arguments: argparse.Namespace) -> None:
    from raysweep.commands.tokenize import tokenize

    tokenize(arguments.model, arguments.data, arguments.out, arguments.gpus, arguments.set)


def _doctor(arguments: argparse.Namespace) -> None:
    from raysweep.commands.doctor import doctor

    doctor(arguments.address, arguments.storage, arguments.fetch_weights)


def _request(arguments: argparse.Namespace) -> "Request":
    from raysweep.commands.plan import Request

    return Request(
        name=arguments.name,
        storage=arguments.storage,
        config=arguments.config,
        data=arguments.data,
        assignments=arguments.set,
        trials=getattr(arguments, "trials", None),
        warm_start=getattr(arguments, "warm_start", None),
        device=arguments.device,
    )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


COMMANDS: dict[str, Command] = {
    "demo": _demo,
    "prepare": _prepare,
    "train": _train,
    "describe": _describe,
    "sweep": _sweep,
    "resume": _resume,
    "submit": _submit,
    "stop": _stop,
    "enqueue": _enqueue,
    "pause": _pause,
    "unpause": _unpause,
    "status": _status,
    "export": _export,
    "tokenize": _tokenize,
    "doctor": _doctor,
}
"""By the names of `arguments.py`."""

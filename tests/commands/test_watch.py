"""`raysweep status --watch`: what a frame shows, and that it follows a driver to its end or until Ctrl-C."""

import io
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from raysweep.commands import watch as watching
from raysweep.commands.standing import standing
from raysweep.commands.watch import view, watch
from raysweep.experiment.events import EventLog, read
from raysweep.experiment.layout import Experiment, create
from raysweep.experiment.mirror import is_driven
from search_spaces import smoke
from tests.fakes import driver, small_sweep

BEGAN = 1_700_000_000.0
SETTINGS = small_sweep(budget={"steps": 1000}, scheduler={"min_peers": 1000})


@pytest.fixture
def begun(folder: Path) -> Experiment:
    """Whose two trials have come to step 5 of 20, in 50 s each."""
    experiment = Experiment(folder / "runs" / "small")
    source = Path(str(smoke.__file__)).read_text()
    create(experiment, yaml.safe_dump(SETTINGS.model_dump(mode="json")), source)
    with driver(experiment.events, SETTINGS) as mind:
        for trial in [mind.propose().trial for _ in range(2)]:
            mind.start(trial)
            mind.report(trial, 5, {"val/psnr": 20.0 + int(trial)})
    lines = map(json.loads, experiment.events.read_text().splitlines())
    timed = [{**event, "time": BEGAN + 50 * (event["kind"] == "report")} for event in lines]
    experiment.events.write_text("".join(json.dumps(event) + "\n" for event in timed))
    return experiment


def frame(experiment: Experiment, seconds: float, height: int = 40) -> str:
    """As a terminal shows it so long after the trials began."""
    console = Console(record=True, width=150, file=io.StringIO())
    events = list(read(experiment.events))
    console.print(view(standing(experiment), events, BEGAN + seconds, height))
    return console.export_text()


def cells(text: str) -> list[list[str]]:
    """Of the table's rows."""
    return [
        [cell.strip() for cell in line.strip("│┃").split("│")]
        for line in text.splitlines()
        if line.startswith("│")
    ]


def test_a_frame_shows_state_steps_time_left_best_and_what_is_spent(begun):
    with EventLog(begun.events):
        text = frame(begun, seconds=50)
    best, other = cells(text)
    assert best[:5] == ["0001", "running", "5 of 20", "2 min", "21.000"]
    assert other[:5] == ["0000", "running", "5 of 20", "2 min", "20.000"]
    assert "spent: 2 of 6 trials, 10 of 1,000 steps" in text
    assert "2 running" in text


@pytest.mark.parametrize(("seconds", "left"), [(50 + 100, "50 s"), (50 + 150, "0 s"), (999, "0 s")])
def test_the_time_left_runs_down_between_reports_to_nothing(begun, seconds, left):
    assert cells(frame(begun, seconds))[0][3] == left


def test_in_a_low_terminal_who_runs_stays_and_the_rest_is_counted(swept):
    with driver(swept.events) as mind:
        mind.add({"training.learning_rate": 0.125}, "from 0000")
        trial = mind.propose().trial
        mind.start(trial)
        text = frame(swept, seconds=0, height=16)
        count = len(mind.trials)
    shown = cells(text)
    assert trial in [row[0] for row in shown]
    assert len(shown) < count
    assert f"and {count - len(shown)} more, all in `raysweep status`" in text


@pytest.fixture
def ends(begun: Experiment) -> Iterator[Callable[[], None]]:
    """What happens between looks, one after the other, from a driver at work on: a report, and its end."""
    with ExitStack() as stack:
        mind = stack.enter_context(driver(begun.events, SETTINGS))
        for trial in mind.trials:
            mind.start(trial)
        happens = iter([lambda: mind.report("0001", 10, {"val/psnr": 30.0}), stack.close])
        yield lambda: next(happens)()


def test_elsewhere_than_in_a_terminal_it_is_a_line_per_event_until_the_driver_ends(
    begun, ends, capsys
):
    watch(begun, ends)
    first, *rest = capsys.readouterr().out.splitlines()
    assert first == "  0001  step 10    psnr 30.000"
    assert not is_driven(begun)
    assert any("30.000" in line for line in rest)
    assert rest[-1] == "2 interrupted"


def test_in_a_terminal_it_is_drawn_anew_and_ends_as_a_table(begun, ends, capsys, monkeypatch):
    terminal = Console(record=True, width=150, force_terminal=True, file=io.StringIO())
    monkeypatch.setattr(watching, "console", terminal)
    watch(begun, ends)
    drawn = terminal.export_text()
    assert drawn.index("5 of 20") < drawn.index("10 of 20")
    assert "2 interrupted" in capsys.readouterr().out


def test_ctrl_c_ends_it_and_nothing_else(begun, monkeypatch, run):
    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(watching.time, "sleep", interrupted)
    with EventLog(begun.events):
        code, out, error = run("status", begun.folder, "--watch")
    assert (code, error) == (0, "")
    assert "2 running" in out


def test_without_a_driver_it_is_the_status(begun, run):
    said = run("status", begun.folder)
    assert run("status", begun.folder, "--watch") == said

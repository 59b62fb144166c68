"""A sweep tells a server of its own machine: what arrives, that none of it is in its files, and that it can be down."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from raysweep.commands.notifier import Post, address, notifying
from raysweep.config import NotifyConfig
from raysweep.errors import ConfigError
from raysweep.experiment.conductor import Conductor, Proposal
from tests.commands.test_driving import loop  # noqa: F401  a fixture
from tests.fakes import driver, execute, small_sweep

SECRET = "T0KEN"
VARIABLE = "RAYSWEEP_TEST_WEBHOOK"


class Server(ThreadingHTTPServer):
    """Keeps what is posted to it, and answers with `code`."""

    code = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.messages: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hooks/{SECRET}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        assert self.headers["Content-Type"] == "application/json"
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.messages.append({**json.loads(body), "path": self.path})
        self.send_response(self.server.code)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def serving() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def rising(proposal: Proposal, step: int) -> dict[str, float]:
    """The second and the fourth trial are better than all before."""
    return {"val/psnr": step + [10.0, 20.0, 5.0, 30.0, 1.0, 2.0][int(proposal.trial)]}


def told(server: Server) -> list[tuple[str, str, float | None]]:
    return [(it["event"], it["trial"], it["score"]) for it in server.messages]


@pytest.fixture
def mind(folder: Path) -> Iterator[Conductor]:
    """Six trials, none stopped."""
    sweep = small_sweep(scheduler={"kind": "none"})
    with driver(folder / "events.jsonl", sweep) as mind:
        yield mind


def test_bests_failures_and_the_end_are_told(mind) -> None:
    said: list[str] = []
    with serving() as server:
        with notifying(server.url, "first", mind, said.append) as mind.listener:
            execute(mind, rising, errors={"0002": "out of memory"})
        assert told(server) == [
            ("best", "0000", 30.0),
            ("best", "0001", 40.0),
            ("failure", "0002", None),
            ("best", "0003", 50.0),
            ("end", "0003", 50.0),
        ]
        last = server.messages[-1]
        assert last["text"] == "first: the sweep has ended; trial 0003 is the best (val/psnr 50)"
        assert last["metrics"] == {"val/psnr": 50.0}
        assert last["path"] == f"/hooks/{SECRET}"
    assert said == []


def test_a_driver_that_goes_on_knows_who_was_best(mind, folder) -> None:
    execute(mind, rising)
    mind.add({}, "from 0003")
    with serving() as server:
        with notifying(server.url, "first", mind, print) as mind.listener:
            mind.add({"loss.disc_weight": 0.9}, "enqueued")
            execute(mind, lambda proposal, step: {"val/psnr": 1.0})
        assert told(server) == [("end", "0003", 50.0)]


def test_an_interruption_and_an_error_are_failures(mind) -> None:
    with serving() as server:
        with notifying(server.url, "first", mind, print):
            pass
        with pytest.raises(MemoryError), notifying(server.url, "first", mind, print):
            raise MemoryError
        assert told(server) == [("failure", "", None)] * 2
        assert server.messages[0]["text"] == "first: the sweep was interrupted"
        assert server.messages[1]["text"] == "first: the sweep ended by MemoryError"


@pytest.mark.parametrize("code", [404, 500])
def test_what_does_not_arrive_is_told_once_and_without_the_address(mind, code) -> None:
    said: list[str] = []
    with serving() as server:
        server.code = code
        with notifying(server.url, "first", mind, said.append) as mind.listener:
            execute(mind, rising)
        assert len(server.messages) == 4  # it goes on trying
    assert len(said) == 1
    assert f"127.0.0.1 did not arrive (it answered {code})" in said[0]
    assert SECRET not in said[0]


def test_nobody_there_is_told_once_too() -> None:
    said: list[str] = []
    post = Post(f"http://127.0.0.1:1/{SECRET}", said.append)
    for _ in range(3):
        post.send({"text": "hello"})
    post.close()
    assert len(said) == 1
    assert SECRET not in said[0]


def test_the_address_is_in_no_file_of_the_sweep(run, loop, folder, monkeypatch) -> None:  # noqa: F811
    words = ["sweep", "smoke", "--set", f"notify.url_variable={VARIABLE}", "--trials", "2"]
    with serving() as server:
        monkeypatch.setenv(VARIABLE, server.url)
        code, out, error = run(*words)
        assert code == 0
        assert [it["event"] for it in server.messages][-1] == "end"
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert not any(SECRET.encode() in path.read_bytes() for path in files)
    assert SECRET not in out + error
    assert SECRET not in run("status", "runs/smoke").out


NO_ADDRESSES = [None, SECRET, f"ftp://{SECRET}", f"http://[{SECRET}", "http://"]


@pytest.mark.parametrize("value", NO_ADDRESSES)
def test_a_variable_without_a_web_address_is_refused(run, monkeypatch, value) -> None:
    if value is not None:
        monkeypatch.setenv(VARIABLE, value)
    words = ["sweep", "smoke", "--set", f"notify.url_variable={VARIABLE}", "--dry-run"]
    code, _, error = run(*words)
    assert code == 2
    assert VARIABLE in error
    assert SECRET not in error


def test_without_the_setting_nobody_is_told() -> None:
    assert address(NotifyConfig(), {}) is None
    with pytest.raises(ConfigError, match="is not set"):
        address(NotifyConfig(url_variable=VARIABLE), {})

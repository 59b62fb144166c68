"""The page over HTTP: made anew when it must be, for this machine alone unless told otherwise."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EADDRNOTAVAIL
from http.client import HTTPConnection
from socket import AF_INET6, socket
from threading import Thread

import pytest

from raysweep.errors import ConfigError, ExperimentError
from raysweep.report.serving import Latest, is_loopback, server


class Sweep:
    """Stands where an experiment would."""

    def __init__(self) -> None:
        self.version, self.made = "1", 0

    def make(self, version: str) -> str:
        self.made += 1
        return f"page {version}"


@contextmanager
def serving(sweep: Sweep, host: str = "127.0.0.1") -> Iterator[int]:
    with server(Latest(lambda: sweep.version, sweep.make), host, 0) as listening:
        Thread(target=listening.serve_forever, daemon=True).start()
        yield listening.server_port
        listening.shutdown()


def get(port: int, path: str, host: str = "localhost", at: str = "127.0.0.1") -> tuple[int, bytes]:
    connection = HTTPConnection(at, port, timeout=10)
    connection.request("GET", path, headers={"Host": f"{host}:{port}"})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, gzip.decompress(body) if path == "/" and answer.status == 200 else body


def test_it_is_made_once_for_each_version():
    sweep = Sweep()
    with serving(sweep) as port:
        assert [get(port, "/") for _ in range(3)] == [(200, b"page 1")] * 3
        assert sweep.made == 1
        sweep.version = "2"
        assert get(port, "/version") == (200, b"2")
        assert get(port, "/") == (200, b"page 2")
        assert sweep.made == 2


def test_an_experiment_that_cannot_be_read_is_told():
    def gone() -> str:
        raise ExperimentError("runs/a is not <an> experiment")

    with server(Latest(gone, str), "127.0.0.1", 0) as listening:
        Thread(target=listening.serve_forever, daemon=True).start()
        for path in ("/", "/version"):
            status, body = get(listening.server_port, path)
            assert status == 503
            assert b"runs/a is not &lt;an&gt; experiment" in body
        listening.shutdown()


def test_a_reader_who_closes_the_page_is_no_error(capsys):
    with server(Latest(str, str), "127.0.0.1", 0) as listening:
        for error in (BrokenPipeError("closed"), KeyError("a bug")):
            try:
                raise error
            except (BrokenPipeError, KeyError):
                listening.handle_error(None, ("127.0.0.1", 1))
    said = capsys.readouterr().err
    assert "a bug" in said
    assert "closed" not in said


def has_ipv6() -> bool:
    with socket(AF_INET6) as probe:
        return probe.connect_ex(("::1", 9)) != EADDRNOTAVAIL


def test_over_ipv6():
    if not has_ipv6():
        pytest.skip("this machine has no IPv6")
    with server(Latest(lambda: "1", str), "::1", 0) as listening:
        Thread(target=listening.serve_forever, daemon=True).start()
        assert get(listening.server_port, "/version", "[::1]", "::1") == (200, b"1")
        listening.shutdown()


def test_nothing_else_is_there():
    with serving(Sweep()) as port:
        assert get(port, "/../../etc/passwd")[0] == 404


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[", "[::1"])
def test_a_name_of_elsewhere_that_leads_here_is_refused(host):
    with serving(Sweep()) as port:
        assert get(port, "/", host)[0] == 403
        assert get(port, "/", "127.0.0.1")[0] == 200


@pytest.mark.parametrize(
    ("host", "is_local"),
    [
        ("127.0.0.1", True),
        ("localhost", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("10.0.0.3", False),
        ("a", False),
    ],
)
def test_what_only_this_machine_reaches(host, is_local):
    assert is_loopback(host) is is_local


@pytest.mark.parametrize("port", [70_000, -1])
def test_a_port_that_cannot_be_had_is_told(port):
    with pytest.raises(ConfigError, match="--serve takes a port that is free"):
        server(Latest(str, str), "127.0.0.1", port)


def test_a_port_that_is_taken_is_told():
    with serving(Sweep()) as port, pytest.raises(ConfigError, match="in use"):
        server(Latest(str, str), "127.0.0.1", port)

"""The page over HTTP, made anew when an experiment has changed."""

import gzip
import hashlib
import sys
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from socket import AF_INET, AF_INET6
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from raysweep.errors import ConfigError, RaysweepError

NEVER_KEPT = ("Cache-Control", "no-store")


class Latest:
    """`version` says in a word how things stand, and `make` makes the page of that word; neither runs twice at once."""

    def __init__(self, version: Callable[[], str], make: Callable[[str], str]) -> None:
        self._version, self._make = version, make
        self._made = ""
        self._page = b""
        self._one_at_a_time = Lock()

    def version(self) -> str:
        with self._one_at_a_time:
            return self._version()

    def page(self) -> bytes:
        """Gzipped HTML."""
        with self._one_at_a_time:
            version = self._version()
            if version != self._made:
                self._page = gzip.compress(self._make(version).encode(), compresslevel=1)
                self._made = version
            return self._page


def server(latest: Latest, host: str, port: int) -> ThreadingHTTPServer:
    """Bound, and not yet serving; `port` 0: a free one. ConfigError where it cannot be had."""
    try:
        return _Server(host, port, _handler(latest, is_local=is_loopback(host)))
    except OverflowError as error:
        raise _not_to_be_had(host, port, str(error)) from None
    except OSError as error:
        raise _not_to_be_had(host, port, error.strerror) from None


def _not_to_be_had(host: str, port: int, why: str | None) -> ConfigError:
    return ConfigError(
        f"--serve takes a port that is free, got {host}:{port}: {why}. Give another --port, or 0 for any."
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, host: str, port: int, handler: type[BaseHTTPRequestHandler]) -> None:
        self.address_family = AF_INET6 if ":" in host else AF_INET
        super().__init__((host, port), handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Passes over a reader who closes the page while it comes."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _handler(latest: Latest, *, is_local: bool) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """A local page answers to local names alone: no other site's name may be made to lead here."""

        def do_GET(self) -> None:
            if is_local and not is_loopback(_name_in(self.headers.get("Host", ""))):
                self.send_error(HTTPStatus.FORBIDDEN)
                return
            try:
                self._answer_to(self.path.partition("?")[0])
            except RaysweepError as error:
                self.send_error(HTTPStatus.SERVICE_UNAVAILABLE, explain=str(error))

        def _answer_to(self, path: str) -> None:
            if path == "/":
                self._answer(
                    latest.page(), "text/html; charset=utf-8", ("Content-Encoding", "gzip")
                )
            elif path == "/version":
                self._answer(latest.version().encode(), "text/plain; charset=utf-8")
            else:
                self.send_error(HTTPStatus.NOT_FOUND)

        def _answer(self, body: bytes, kind: str, *headers: tuple[str, str]) -> None:
            self.send_response(HTTPStatus.OK)
            for name, value in (("Content-Type", kind), NEVER_KEPT, *headers):
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing in the terminal."""

    return Handler


def _name_in(host: str) -> str:
    """Of a Host header; empty: there is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def digest(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]

"""A server's stand-in on another port, which can be away: who connects is refused, and what was open breaks off."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from typing import Self

HERE = "127.0.0.1"


class Proxy:
    """Of the port `target` of this machine."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._open: list[socket.socket] = []
        self._listen(0)

    @contextmanager
    def away(self) -> Iterator[None]:
        self.close()
        try:
            yield
        finally:
            self._listen(self.port)

    def close(self) -> None:
        for connection in (self._listener, *self._open):
            with suppress(OSError):  # closed by the other side
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self._open.clear()

    def _listen(self, port: int) -> None:
        self._listener = socket.create_server((HERE, port), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):  # closed: nobody is to come any more
            while True:
                client, _ = listener.accept()
                server = socket.create_connection((HERE, self._target))
                self._open += (client, server)
                for ends in ((client, server), (server, client)):
                    Thread(target=_hand_on, args=ends, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _hand_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):  # one of the two is gone
        while content := source.recv(1 << 16):
            target.sendall(content)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)

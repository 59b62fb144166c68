"""moto's S3 server in a process of its own, which can be halted: for its clients the store is then away."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from pyarrow import fs

KEYS = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}
"""For the environment of every client."""


class Server:
    def __init__(self, process: "subprocess.Popen[bytes]", port: int) -> None:
        self._process, self.port = process, port
        self.file_system = fs.S3FileSystem(
            access_key="none",
            secret_key="none",
            scheme="http",
            endpoint_override=f"127.0.0.1:{port}",
            allow_bucket_creation=True,
        )

    def new_bucket(self) -> str:
        name = f"bucket-{uuid4().hex[:8]}"
        self.file_system.create_dir(name)
        return name

    def address(self, path: str, port: int | None = None) -> str:
        """Of `bucket/folder`; `port`: where a stand-in of this server listens."""
        return f"s3://{path}?scheme=http&endpoint_override=127.0.0.1:{port or self.port}"

    def names(self, path: str) -> list[str]:
        """Of all objects below."""
        listed = self.file_system.get_file_info(
            fs.FileSelector(path, recursive=True, allow_not_found=True)
        )
        files = [found.path for found in listed if found.type == fs.FileType.File]
        return sorted(name.removeprefix(f"{path}/") for name in files)

    @contextmanager
    def away(self) -> Iterator[None]:
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)


@contextmanager
def serving() -> Iterator[Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(
        words, env={**os.environ, **KEYS}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(port, process)
        yield Server(process, port)
    finally:
        process.kill()
        process.wait()


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None, "the server ended by itself"
        time.sleep(0.1)
    raise TimeoutError("no S3 server within a minute")

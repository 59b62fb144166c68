"""A bucket on a loopback port: as much of S3's protocol as it takes to list and to read objects."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

BUCKET = "films"


@contextmanager
def bucket(objects: dict[str, bytes]) -> Iterator[str]:
    """Serves objects by key, those that are added later too; what follows a URI of the bucket."""

    class Handler(_Handler):
        held = objects

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"?scheme=http&region=us-east-1&endpoint_override=127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    held: dict[str, bytes]

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        name, _, key = unquote(url.path).strip("/").partition("/")
        query = {word: values[0] for word, values in parse_qs(url.query).items()}
        if name != BUCKET or (key and key not in self.held):
            self._answer(404, b"")
        elif key:
            self._object(self.held[key])
        else:
            self._answer(200, self._listing(query.get("prefix", "")))

    def _object(self, content: bytes) -> None:
        start, _, end = self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")
        self._answer(
            206 if "Range" in self.headers else 200,
            content[int(start) : int(end) + 1 if end else None],
        )

    def _listing(self, prefix: str) -> bytes:
        keys = [key for key in sorted(self.held) if key.startswith(prefix)]
        contents = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(self.held[key])}</Size></Contents>"
            for key in keys
        )
        count = f"<KeyCount>{len(keys)}</KeyCount><IsTruncated>false</IsTruncated>"
        return f"<ListBucketResult>{count}{contents}</ListBucketResult>".encode()

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""

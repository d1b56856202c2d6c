"""A server on this machine that speaks as much of the S3 protocol as reading takes: list, head and get."""

import contextlib
import threading
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

STAMP = 1_700_000_000


class Store(BaseHTTPRequestHandler):
    objects: dict[str, bytes]
    """`bucket/key` -> content."""
    refuses = False

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, *_) -> None:
        pass

    def _answer(self, *, body: bool) -> None:
        url = urlsplit(self.path)
        key, query = unquote(url.path).strip("/"), parse_qs(url.query)
        if self.refuses:
            self._send(403, b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>", body)
        elif "list-type" in query:
            self._send(200, self._list(key, query.get("prefix", [""])[0], query.get("delimiter", [""])[0]).encode(), body)
        elif key in self.objects:
            self._send(200, self.objects[key], body)
        elif any(name.startswith(f"{key}/") for name in self.objects) and "/" not in key:
            self._send(200, b"", body)
        else:
            self._send(404, b"<Error><Code>NoSuchKey</Code><Message>not there</Message></Error>", body)

    def _list(self, bucket: str, prefix: str, delimiter: str) -> str:
        found = [(name.removeprefix(f"{bucket}/"), data) for name, data in sorted(self.objects.items()) if name.startswith(f"{bucket}/{prefix}")]
        items = "".join(f"<Contents><Key>{escape(name)}</Key><Size>{len(data)}</Size><LastModified>2026-11-26T00:00:00.000Z</LastModified><ETag>\"1\"</ETag></Contents>"
                        for name, data in found)
        return f"<ListBucketResult><Name>{bucket}</Name><Prefix>{escape(prefix)}</Prefix><KeyCount>{len(found)}</KeyCount><IsTruncated>false</IsTruncated>{items}</ListBucketResult>"

    def _send(self, status: int, data: bytes, body: bool) -> None:
        status, data = (206, data[self._range(len(data))]) if status == 200 and "Range" in self.headers else (status, data)
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Last-Modified", formatdate(STAMP, usegmt=True))
        self.send_header("ETag", '"1"')
        self.end_headers()
        if body:
            self.wfile.write(data)

    def _range(self, n: int) -> slice:
        first, _, last = self.headers["Range"].removeprefix("bytes=").partition("-")
        return slice(int(first), min(int(last or n - 1), n - 1) + 1)


@contextlib.contextmanager
def serving(objects: dict[str, bytes], *, refuses: bool = False) -> Iterator[str]:
    """The options that a URL takes to be read from this server."""
    handler = type("Here", (Store,), {"objects": objects, "refuses": refuses})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"?endpoint_override=127.0.0.1:{server.server_port}&scheme=http&region=us-east-1"
    finally:
        server.shutdown()

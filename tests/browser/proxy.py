"""What stands between browsers and the app on a school's server?"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_CHUNK = 65_536
_GONE = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Proxy:
    """Passes on what lies under one path, WebSockets too, and nothing else.

    Requests keep the path and the `Host` that the browser asked for, as nginx does with
    `proxy_pass http://127.0.0.1:8501;` and `proxy_set_header Host $http_host;`. Each connection
    carries one request. refused: paths outside, upgrades: WebSockets.
    """

    def __init__(self, path: str, port: int) -> None:
        self._path, self._port = path, port
        self.refused: list[str] = []
        self.upgrades = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more."""
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):  # the listener was closed
            while True:
                browser, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(browser,), daemon=True).start()

    def _serve(self, browser: socket.socket) -> None:
        with browser, suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                more = browser.recv(_CHUNK)
                if not more:
                    return
                head += more
            first, _, rest = head.partition(b"\r\n")
            target = first.split(b" ")[1].decode()
            if not target.startswith(f"{self._path}/") and target != self._path:
                self.refused.append(target)
                browser.sendall(_GONE)
                return
            is_upgrade = b"\r\nupgrade: websocket" in rest.lower()
            self.upgrades += is_upgrade
            if not is_upgrade:  # else the next request of the connection would pass unseen
                rest = b"Connection: close\r\n" + _without_connection(rest)
            with socket.create_connection(("127.0.0.1", self._port)) as app:
                app.sendall(first + b"\r\nX-Forwarded-Proto: http\r\n" + rest)
                threading.Thread(target=_pour, args=(browser, app), daemon=True).start()
                _pour(app, browser)


def _without_connection(head: bytes) -> bytes:
    lines, end, body = head.partition(b"\r\n\r\n")
    kept = [line for line in lines.split(b"\r\n") if not line.lower().startswith(b"connection:")]
    return b"\r\n".join(kept) + end + body


def _pour(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(_CHUNK):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@contextmanager
def proxied(path: str, port: int) -> Iterator[Proxy]:
    """A proxy to the app at this port, until the block ends."""
    proxy = Proxy(path, port)
    try:
        yield proxy
    finally:
        proxy.close()

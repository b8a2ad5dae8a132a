"""HTTP/1.1 over loopback sockets: requests in, answers out in one piece, or not at all.

The standard library's http.server writes headers and body apart, which meets delayed acknowledgements,
and cannot drop a connection; both matter here, so the few lines of HTTP that are needed stand here.
"""

import contextlib
import http
import socket
import socketserver
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO, Literal, cast

MAX_BODY_BYTES = 32 * 1024 * 1024
_MAX_LINE_BYTES = 64 * 1024
_MAX_HEADERS = 100
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)

Manner = Literal["whole", "short", "drip", "drip_all", "reset", "close"]


@dataclass(frozen=True, slots=True)
class Request:
    """A request as received; header names in lower case, `target` as it stood in the request line."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    keep_alive: bool


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back, and in what manner.

    `whole`: in one send. `short`: half of the body, then the end. `drip`, `drip_all`: the body, or the
    head too, a byte every `seconds`. `reset`: nothing, RST. `close`: nothing, FIN.
    """

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()
    manner: Manner = "whole"
    seconds: float = 0.5


class Unreadable(Exception):
    """A request that is not HTTP as the sandbox reads it, or too large; answered, then closed."""

    def __init__(self, status: int, text: str, *, method: str = "", target: str = "") -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.method = method
        self.target = target


class LoopbackServer(socketserver.ThreadingTCPServer):
    """A thread a connection. `answer` and `refuse` are called in those threads."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 256

    def __init__(
        self, host: str, port: int, answer: Callable[[Request], Reply], refuse: Callable[[Unreadable], Reply]
    ) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.answer = answer
        self.refuse = refuse
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__((host, port), _Connection)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, so that `close_all` finds it."""
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close without a shutdown before it: that would send FIN where RST is wanted."""
        with self._lock:
            self._open.discard(request)
        self.close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Show no traceback: what goes wrong with a connection is the client's affair."""

    def close_all(self) -> None:
        """Stop, and end every connection that is open."""
        self.shutdown()
        self.stopping.set()
        self.server_close()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


class _Connection(socketserver.BaseRequestHandler):
    request: socket.socket
    server: LoopbackServer

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with cast(BinaryIO, self.request.makefile("rb", 256 * 1024)) as reader:
                while not self.server.stopping.is_set() and self._exchange(reader):
                    pass

    def _exchange(self, reader: BinaryIO) -> bool:
        """One request and its answer; whether the connection stays."""
        try:
            request = read_request(reader, self.request.sendall)
        except Unreadable as error:
            self._send(self.server.refuse(error), keep_alive=False, is_head=False)
            self._drain()
            return False
        if request is None:
            return False
        return self._send(
            self.server.answer(request), keep_alive=request.keep_alive, is_head=request.method == "HEAD"
        )

    def _send(self, reply: Reply, *, keep_alive: bool, is_head: bool) -> bool:
        if reply.manner == "reset":
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        if reply.manner in ("reset", "close"):
            return False
        head = _head(reply, keep_alive)
        body = b"" if is_head else reply.body
        if reply.manner == "short":
            self.request.sendall(head + body[: len(body) // 2])
            return False
        if reply.manner == "whole":
            self.request.sendall(head + body)
            return keep_alive
        whole = head + body
        at_once = len(head) if reply.manner == "drip" else 0
        self.request.sendall(whole[:at_once])
        for place in range(at_once, len(whole)):
            if self.server.stopping.wait(reply.seconds):
                return False
            self.request.sendall(whole[place : place + 1])
        return keep_alive

    def _drain(self) -> None:
        """Take in what the client still sends, for a second: to close on unread bytes resets the answer."""
        until = time.monotonic() + 1.0
        self.request.shutdown(socket.SHUT_WR)
        self.request.settimeout(0.25)
        while time.monotonic() < until and self.request.recv(1 << 20):
            pass


def _head(reply: Reply, keep_alive: bool) -> bytes:
    try:
        phrase = http.HTTPStatus(reply.status).phrase
    except ValueError:
        phrase = "Unknown"
    lines = [
        f"HTTP/1.1 {reply.status} {phrase}",
        f"Content-Type: {reply.content_type}",
        f"Content-Length: {len(reply.body)}",
        *(f"{name}: {value}" for name, value in reply.headers),
        f"Connection: {'keep-alive' if keep_alive else 'close'}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def read_request(reader: BinaryIO, send: Callable[[bytes], None]) -> Request | None:
    """Read one request; None where the client is done. Raises Unreadable, OSError.

    `send` is used for `100 Continue` where the client waits for it before it sends its body.
    """
    line = reader.readline(_MAX_LINE_BYTES)
    if not line.strip():
        line = reader.readline(_MAX_LINE_BYTES) if line else b""
    if not line:
        return None
    words = line.decode("latin-1").split()
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise Unreadable(400, "the request line is not HTTP/1.1")
    method, target, protocol = words
    headers = _read_headers(reader)
    try:
        length = _body_length(headers)
        if headers.get("expect", "").lower() == "100-continue":
            send(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = _read_chunks(reader) if length is None else reader.read(length)
    except Unreadable as error:
        raise Unreadable(error.status, error.text, method=method, target=target) from error
    if length is not None and len(body) < length:
        return None
    connection = headers.get("connection", "").lower()
    keep_alive = "close" not in connection and (protocol != "HTTP/1.0" or "keep-alive" in connection)
    return Request(method, target, headers, body, keep_alive)


def _read_headers(reader: BinaryIO) -> dict[str, str]:
    headers: dict[str, str] = {}
    for _ in range(_MAX_HEADERS):
        line = reader.readline(_MAX_LINE_BYTES)
        if line in (b"\r\n", b"\n"):
            return headers
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon or not name or name != name.strip():
            raise Unreadable(400, "a header line has no name")
        headers[name.lower()] = value.strip()
    raise Unreadable(431, f"more than {_MAX_HEADERS} headers")


def _body_length(headers: dict[str, str]) -> int | None:
    """Bytes of the body, None where it comes in chunks."""
    coding = headers.get("transfer-encoding", "").lower()
    given = headers.get("content-length")
    if coding:
        if coding != "chunked" or given is not None:
            raise Unreadable(400, "the transfer encoding must be chunked, without Content-Length")
        return None
    if given is None:
        return 0
    if not (given.isascii() and given.isdigit() and len(given) < 19):
        raise Unreadable(400, "Content-Length is not a number")
    if int(given) > MAX_BODY_BYTES:
        raise Unreadable(413, f"the body is larger than {MAX_BODY_BYTES} bytes")
    return int(given)


def _read_chunks(reader: BinaryIO) -> bytes:
    parts: list[bytes] = []
    total = 0
    while True:
        line = reader.readline(_MAX_LINE_BYTES)
        try:
            size = int(line.partition(b";")[0].strip(), 16)
        except ValueError as error:
            raise Unreadable(400, "a chunk has no size") from error
        total += size
        if size < 0 or total > MAX_BODY_BYTES:
            raise Unreadable(413, f"the body is larger than {MAX_BODY_BYTES} bytes")
        if size == 0:
            while reader.readline(_MAX_LINE_BYTES) not in (b"\r\n", b"\n", b""):
                pass
            return b"".join(parts)
        parts.append(reader.read(size))
        if len(parts[-1]) < size or reader.readline(3) not in (b"\r\n", b"\n"):
            raise Unreadable(400, "a chunk is shorter than its size")

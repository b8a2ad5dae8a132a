"""One HTTP exchange: bytes out, bytes back, never longer than its deadline.

This is the import site of httpx. Of httpx its settings for TLS and the connections beneath it, httpcore's, are
used with prepared headers (PERFORMANCE 7): its client, its request objects and a pool that all threads share cost
more for each call than the call (1,000 calls took 0.35 s of CPU with them, 0.17 s without). The sockets are our
own, since no client's time-outs are a deadline (FAILURES 1.5): every wait on the network ends when the time of
the whole call is over, however slowly bytes drip in.
"""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpcore

ANSWER_BYTES: Final = 16 * 1024 * 1024
"""Most that is read of an answer, counted after decoding."""

# Below the shortest time for which servers commonly keep an idle connection: a stale one makes calls uncertain.
_IDLE_SECONDS: Final = 4.0


@dataclass(frozen=True, slots=True)
class Received:
    """An answer, whatever it says. Names of headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Lost:
    """No answer. `may_be_applied` is whether a byte of the body may have left this machine."""

    message: str
    may_be_applied: bool


class Transport:
    """Connections to one host, kept for reuse. Thread-safe; each exchange runs in its caller's thread.

    `connect`, `read` and `whole` are seconds: of a connection attempt, of a wait for bytes, of everything.
    Certificates are always verified, the environment names no proxy, and no redirect is followed.
    """

    def __init__(
        self,
        *,
        scheme: str,
        host: str,
        port: int,
        headers: Iterable[tuple[str, str]],
        connect: float,
        read: float,
        whole: float,
    ) -> None:
        self._watch = _Watch()
        self._whole = whole
        self._headers = [(name.encode("ascii"), value.encode("ascii")) for name, value in headers]
        self._place = (scheme.encode("ascii"), host.encode("ascii"), port)
        self._times = {"timeout": {"connect": connect, "read": read, "write": read, "pool": whole}}
        self._tls = _tls() if scheme == "https" else None
        # Not a pool of httpcore's: threads would wait for its lock (measured with 12 of them).
        self._idle: list[httpcore.HTTPConnection] = []

    def post(self, target: str, body: bytes) -> Received | Lost:
        """Send one body and read the answer. Raises nothing that the network can cause."""
        watch = self._watch
        watch.start(self._whole)
        connection = self._idle_connection()
        try:
            response = connection.handle_request(self._request(target, body))
            try:
                head = {
                    name.decode("latin-1").lower(): value.decode("latin-1")
                    for name, value in response.headers
                }
                return Received(response.status, head, _read_body(response, head))
            finally:
                response.close()
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
            return Lost(self._sentence(error), watch.is_body_out)
        except _Unreadable as error:
            return Lost(f"the answer cannot be read: {error}", watch.is_body_out)
        finally:
            if connection.is_idle():
                self._idle.append(connection)
            else:
                connection.close()

    def close(self) -> None:
        """Close every connection that is not in use."""
        while self._idle:
            self._idle.pop().close()

    def _idle_connection(self) -> httpcore.HTTPConnection:
        """A connection that is free and still open at both ends, or a new one."""
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                break
            if not connection.has_expired():
                return connection
            connection.close()
        scheme, host, port = self._place
        return httpcore.HTTPConnection(
            origin=httpcore.Origin(scheme, host, port),
            ssl_context=self._tls,
            keepalive_expiry=_IDLE_SECONDS,
            network_backend=_Backend(self._watch),
        )

    def _request(self, target: str, body: bytes) -> httpcore.Request:
        scheme, host, port = self._place
        url = httpcore.URL(scheme=scheme, host=host, port=port, target=target.encode("ascii"))
        headers = [*self._headers, (b"Content-Length", str(len(body)).encode())]
        return httpcore.Request("POST", url, headers=headers, content=body, extensions=self._times)

    def _sentence(self, error: Exception) -> str:
        if self._watch.is_over:
            return f"no whole answer within {self._whole:g} s"
        if isinstance(error, httpcore.ConnectTimeout):
            return f"no connection within {self._times['timeout']['connect']:g} s"
        if isinstance(error, httpcore.TimeoutException):
            return f"no answer for {self._times['timeout']['read']:g} s"
        said = str(error)
        if isinstance(error, httpcore.ConnectError):
            return f"no connection: {said}"
        return f"the connection ended: {said}" if said else "the connection ended"


def _tls() -> ssl.SSLContext:
    """How httpx makes sure of whom it talks to; nothing of the environment changes that."""
    import httpx

    return httpx.create_ssl_context(trust_env=False)


class _Unreadable(Exception):
    """The answer is larger than is read, or cannot be decoded."""


def _read_body(response: httpcore.Response, head: dict[str, str]) -> bytes:
    """The answer's body, decoded where it comes compressed although nobody asked for that."""
    coding = head.get("content-encoding", "identity").strip().lower()
    unpacker = zlib.decompressobj(wbits=47) if coding in ("gzip", "x-gzip", "deflate") else None
    parts: list[bytes] = []
    size = 0
    for received in response.iter_stream():
        try:
            part = unpacker.decompress(received, ANSWER_BYTES + 1) if unpacker else received
        except zlib.error as error:
            raise _Unreadable(str(error)) from error
        size += len(part)
        if size > ANSWER_BYTES:
            raise _Unreadable(f"it is larger than {ANSWER_BYTES // 1024 // 1024} MB")
        parts.append(part)
    return b"".join(parts)


class _Watch(threading.local):
    """The present exchange of each thread: until when it may last, and whether its body began to leave."""

    until = 0.0
    has_head = False
    is_body_out = False

    def start(self, seconds: float) -> None:
        self.until = time.monotonic() + seconds
        self.has_head = False
        self.is_body_out = False

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self.until

    def seconds(self, most: float | None) -> float:
        """How long the next wait may be. Raises TimeoutError where no time is left."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left if most is None else min(most, left)


@contextmanager
def _said_as(timed_out: type[Exception], failed: type[Exception]) -> Iterator[None]:
    """The pool's own words for what sockets raise."""
    try:
        yield
    except TimeoutError as error:
        raise timed_out(str(error)) from error
    except OSError as error:
        raise failed(error.strerror or str(error)) from error


class _Backend(httpcore.NetworkBackend):
    """Makes the sockets."""

    def __init__(self, watch: _Watch) -> None:
        self._watch = watch

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        with _said_as(httpcore.ConnectTimeout, httpcore.ConnectError):
            connection = self._connect(host, port, timeout)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return _Stream(connection, self._watch)

    def _connect(self, host: str, port: int, timeout: float | None) -> socket.socket:
        """The first of the host's addresses that answers."""
        last: OSError = OSError("the host has no address")
        for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            connection = socket.socket(family, kind, protocol)
            try:
                connection.settimeout(self._watch.seconds(timeout))
                connection.connect(address)
            except OSError as error:
                connection.close()
                last = error
            else:
                return connection
        raise last


class _Stream(httpcore.NetworkStream):
    """A socket whose every wait ends with the call's time."""

    def __init__(self, connection: socket.socket, watch: _Watch) -> None:
        self._socket = connection
        self._watch = watch
        self._is_tls = isinstance(connection, ssl.SSLSocket)
        self._head = b""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with _said_as(httpcore.ReadTimeout, httpcore.ReadError):
            self._socket.settimeout(self._watch.seconds(timeout))
            return self._socket.recv(max_bytes)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # The first write of an exchange is its head: it waits for the body, so that both leave in one piece.
        if buffer and not self._watch.has_head:
            self._watch.has_head = True
            self._head = buffer
        elif buffer:
            head, self._head = self._head, b""
            self._send(head + buffer, len(head), timeout)

    def _send(self, buffer: bytes, head_bytes: int, timeout: float | None) -> None:
        watch = self._watch
        sent = 0
        with _said_as(httpcore.WriteTimeout, httpcore.WriteError):
            while sent < len(buffer):
                self._socket.settimeout(watch.seconds(timeout))
                # A plain socket that fails has taken nothing; of TLS that cannot be known.
                watch.is_body_out |= self._is_tls
                sent += self._socket.send(memoryview(buffer)[sent:] if sent else buffer)
                watch.is_body_out |= sent > head_bytes

    def close(self) -> None:
        self._socket.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        with _said_as(httpcore.ConnectTimeout, httpcore.ConnectError):
            try:
                self._socket.settimeout(self._watch.seconds(timeout))
                secured = ssl_context.wrap_socket(self._socket, server_hostname=server_hostname)
            except OSError:
                self._socket.close()
                raise
        return _Stream(secured, self._watch)

    def get_extra_info(self, info: str) -> Any:
        if info == "ssl_object":
            return self._socket if self._is_tls else None
        if info == "is_readable":
            return self._is_readable()
        return None

    def _is_readable(self) -> bool:
        """Whether an idle connection has something to read, which can only be its end."""
        if self._socket.fileno() < 0:
            return True
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(0))

"""One HTTP exchange: bytes out, bytes back, never longer than its deadline.

This is the import site of httpx, which is imported when the first call is made. Its transport is used without
its client, whose work for each request costs more than the request (PERFORMANCE 7). Beneath the transport lies
httpx's own connection pool, httpcore, over sockets of ours, since no client's time-outs are a deadline
(FAILURES 1.5): every wait on the network ends when the time of the whole call is over, however slowly bytes
drip in.
"""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

import httpcore
import httpx

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


class Transport(httpx.BaseTransport):
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
        self._headers = httpx.Headers(list(headers))
        self._host = httpx.URL(scheme=scheme, host=host, port=port)
        self._urls: dict[str, httpx.URL] = {}
        self._place = (scheme.encode("ascii"), host.encode("ascii"), port)
        self._times = {"timeout": {"connect": connect, "read": read, "write": read, "pool": whole}}
        self._tls = httpx.create_ssl_context(trust_env=False) if scheme == "https" else None
        # One pool shared by all threads makes them wait for its lock (measured with 12 of them).
        self._idle: list[httpcore.ConnectionPool] = []

    def post(self, target: str, body: bytes) -> Received | Lost:
        """Send one body and read the answer. Raises nothing that the network can cause."""
        watch = self._watch
        watch.start(self._whole)
        url = self._urls.get(target)
        if url is None:
            # There are a handful of targets, and making a URL of one costs as much as a tenth of a call.
            url = self._urls[target] = self._host.copy_with(raw_path=target.encode("ascii"))
        try:
            response = self.handle_request(httpx.Request("POST", url, headers=self._headers, content=body))
            try:
                return Received(response.status_code, dict(response.headers), _read_body(response))
            finally:
                response.close()
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
            return Lost(self._sentence(error), watch.is_body_out)
        except (httpx.DecodingError, _TooLarge) as error:
            return Lost(f"the answer cannot be read: {error}", watch.is_body_out)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """One exchange, as httpx asks for it. Raises what the pool raises."""
        scheme, host, port = self._place
        sent = httpcore.Request(
            request.method,
            httpcore.URL(scheme=scheme, host=host, port=port, target=request.url.raw_path),
            headers=request.headers.raw,
            content=request.read(),
            extensions=self._times,
        )
        pool = self._idle_pool()
        try:
            received = pool.handle_request(sent)
        except BaseException:
            self._idle.append(pool)
            raise
        stream = _Stream(received, lambda: self._idle.append(pool))
        return httpx.Response(received.status, headers=received.headers, stream=stream)

    def _idle_pool(self) -> httpcore.ConnectionPool:
        with suppress(IndexError):
            return self._idle.pop()
        return httpcore.ConnectionPool(
            ssl_context=self._tls,
            max_connections=1,
            keepalive_expiry=_IDLE_SECONDS,
            network_backend=_Backend(self._watch),
        )

    def close(self) -> None:
        """Close every connection that is not in use."""
        while self._idle:
            self._idle.pop().close()

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


class _Stream(httpx.SyncByteStream):
    """The body of an answer, as it comes in; `done` is called when it is closed."""

    def __init__(self, received: httpcore.Response, done: Callable[[], None]) -> None:
        self._received = received
        self._done = done

    def __iter__(self) -> Iterator[bytes]:
        return self._received.iter_stream()

    def close(self) -> None:
        self._received.close()
        self._done()


class _TooLarge(Exception):
    """The answer is larger than is read."""


def _read_body(response: httpx.Response) -> bytes:
    """The answer's body, decoded where it comes compressed although nobody asked for that."""
    parts: list[bytes] = []
    size = 0
    for part in response.iter_bytes():
        size += len(part)
        if size > ANSWER_BYTES:
            raise _TooLarge(f"it is larger than {ANSWER_BYTES // 1024 // 1024} MB")
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
        return _Socket(connection, self._watch)

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


class _Socket(httpcore.NetworkStream):
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
        return _Socket(secured, self._watch)

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

"""The way to RetailOps: one channel of one key, which any number of threads may use."""

from __future__ import annotations

import ipaddress
import logging
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol, TypeVar
from urllib.parse import urlsplit

from filebridge import __version__
from filebridge.clock import Clock, SystemClock
from filebridge.documents.ship_classes import ShipClass
from filebridge.errors import CallRefused, KeyRefused, RetailOpsUnreachable, UserError
from filebridge.planning.plan import Action
from filebridge.retailops.paging import read_all
from filebridge.retailops.reading import (
    Json,
    OrdersPage,
    read_json,
    read_orders,
    read_ship_classes,
)
from filebridge.retailops.wire import (
    FETCH_PATH,
    SHIP_CLASSES_BODY,
    SHIP_CLASSES_PATH,
    Answer,
    AnswerKind,
    decipher,
    fetch_body,
    has_success,
)

if TYPE_CHECKING:
    from filebridge.retailops.transport import Transport

logger = logging.getLogger("filebridge.retailops")

T = TypeVar("T")

LONGEST_WAIT_SECONDS: Final = 60.0
"""Longest wait that RetailOps can ask for within a pass (Retry-After); beyond it the work is kept."""


class Secret(Protocol):
    """Text that shows itself only when asked to."""

    def reveal(self) -> str:
        """The text itself."""
        ...


@dataclass(frozen=True)
class Timeouts:
    """Seconds. RetailOps itself allows a call 75 s and more (seen), so `read` and `whole` lie well above."""

    connect: float = 10.0
    read: float = 120.0
    whole: float = 150.0
    """Of the whole call, its answer included: the deadline."""


class RetailOps:
    """One channel to RetailOps. Thread-safe. Connections are made when first needed, and kept.

    `base_url` is HTTPS, or plain HTTP to loopback alone; anything else raises UserError, and so does a key
    that cannot stand in a header. `rate` is calls a second at most, None for no limit. `page` is records of a
    page of POs. Reads are tried `attempts` times, from `retry_seconds` apart on, doubling, and not again once
    the time of a whole call has passed.
    """

    def __init__(
        self,
        base_url: str,
        key: Secret | str,
        *,
        timeouts: Timeouts = Timeouts(),
        rate: float | None = None,
        page: int = 100,
        attempts: int = 4,
        retry_seconds: float = 1.0,
        clock: Clock | None = None,
    ) -> None:
        self._address = _read_address(base_url)
        self._key = key
        _check_key(self._reveal())
        self._timeouts = timeouts
        self._clock = clock or SystemClock()
        self._pace = _Pace(rate, self._clock)
        self._page = page
        self._attempts = attempts
        self._retry_seconds = retry_seconds
        self._transport: Transport | None = None
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"RetailOps({self._address})"

    @property
    def host(self) -> str:
        """The host that is called, for messages."""
        return self._address.host

    def post(self, path: str, body: bytes, action: Action | None = None) -> Answer:
        """Make one call and say what came of it. Whatever the network does is an answer too.

        `action` is the write that the body is for, None for a read.
        """
        return self._post(path, body, action)[0]

    def fetch_orders(
        self,
        vendor_id: str,
        statuses: Sequence[str],
        *,
        wanted: Collection[str] = (),
        on_fault: Callable[[str], None] | None = None,
    ) -> list[Json]:
        """Every PO of the vendor in one of these statuses, each once, as RetailOps sent it.

        With `wanted`, reading ends once those POs are found. A record that cannot be read is told to
        `on_fault`, or logged; the others are kept. Raises RetailOpsUnreachable, KeyRefused, CallRefused.
        """

        def read_page(start: int) -> OrdersPage:
            body = fetch_body(vendor_id, statuses, start=start, limit=self._page)
            return self._read(FETCH_PATH, body, partial(read_orders, start=start), "purchase orders")

        orders, faults = read_all(read_page, wanted=wanted)
        for fault in faults:
            (on_fault or _log_order)(fault)
        return orders

    def fetch_ship_classes(self, *, on_fault: Callable[[str], None] | None = None) -> tuple[ShipClass, ...]:
        """Every ship class that RetailOps has, those that are not in use too, in its order, each id once.

        A record that cannot be read is told to `on_fault`, or logged; the others are kept. Raises
        RetailOpsUnreachable, KeyRefused, CallRefused.
        """
        classes, faults = self._read(SHIP_CLASSES_PATH, SHIP_CLASSES_BODY, read_ship_classes, "ship classes")
        for fault in faults:
            (on_fault or _log_ship_class)(fault)
        return classes

    def close(self) -> None:
        """Close every connection; a later call makes new ones."""
        with self._lock:
            transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()

    # One exchange

    def _post(self, path: str, body: bytes, action: Action | None) -> tuple[Answer, bytes]:
        from filebridge.retailops.transport import Lost

        transport = self._opened()
        self._pace.wait()
        received = transport.post(self._address.path + path, body)
        if isinstance(received, Lost):
            kind = AnswerKind.UNCERTAIN if received.may_be_applied else AnswerKind.NOT_APPLIED
            return Answer(kind, received.message), b""
        answer = decipher(received.status, received.headers, received.body, action)
        return self._without_key(answer), received.body

    def _opened(self) -> Transport:
        if self._transport is None:
            from filebridge.retailops.transport import Transport

            with self._lock:
                if self._transport is None:
                    self._transport = Transport(
                        scheme=self._address.scheme,
                        host=self._address.host,
                        port=self._address.port,
                        headers=self._headers(),
                        connect=self._timeouts.connect,
                        read=self._timeouts.read,
                        whole=self._timeouts.whole,
                    )
        return self._transport

    def _headers(self) -> list[tuple[str, str]]:
        return [
            ("Host", self._address.netloc),
            ("User-Agent", f"filebridge/{__version__}"),
            ("Accept", "application/json"),
            ("Accept-Encoding", "identity"),
            ("Content-Type", "application/json"),
            ("apikey", self._reveal()),
        ]

    def _reveal(self) -> str:
        return self._key if isinstance(self._key, str) else self._key.reveal()

    def _without_key(self, answer: Answer) -> Answer:
        """An answer that repeats the key would carry it into the ledger."""
        if not answer.message and not answer.records:
            return answer
        key = self._reveal()
        records = tuple(
            replace(verdict, message=verdict.message.replace(key, "[key]")) for verdict in answer.records
        )
        return replace(answer, message=answer.message.replace(key, "[key]"), records=records)

    # Reads

    def _read(self, path: str, body: bytes, read: Callable[[Json], T | None], what: str) -> T:
        """What an answer holds, tried again while what comes back cannot be relied on."""
        import stamina
        from stamina.instrumentation import set_on_retry_hooks

        set_on_retry_hooks([])  # what is tried again is logged here, in our own words
        try:
            for attempt in stamina.retry_context(
                on=_Unreliable,
                attempts=self._attempts,
                # Where an answer takes as long as a whole call may, asking again only keeps others waiting.
                timeout=self._timeouts.whole,
                wait_initial=self._retry_seconds,
                wait_max=LONGEST_WAIT_SECONDS,
                wait_jitter=self._retry_seconds,
            ):
                with attempt:
                    return self._try_read(path, body, read, what)
        except _Unreliable as error:
            raise RetailOpsUnreachable(f"{self.host}: {error}") from error
        raise AssertionError("stamina ends with a result or an exception")

    def _try_read(self, path: str, body: bytes, read: Callable[[Json], T | None], what: str) -> T:
        answer, received = self._post(path, body, None)
        if answer.kind is AnswerKind.KEY_REFUSED:
            raise KeyRefused(answer.message)
        if answer.kind is AnswerKind.REFUSED:
            raise CallRefused(f"RetailOps refused to list {what}: {answer.message}")
        if answer.stops:
            raise RetailOpsUnreachable(answer.message)
        reply = read_json(received)[0] if answer.kind is AnswerKind.CONFIRMED else None
        found = read(reply) if reply is not None and has_success(reply) else None
        if found is not None:
            return found
        message = answer.message or f"an answer without a list of {what} (`records`)"
        logger.info("a read is tried again", extra={"host": self.host, "reason": message})
        wait = answer.retry_after or 0.0
        if wait > LONGEST_WAIT_SECONDS:
            raise RetailOpsUnreachable(f"{self.host} asks to wait {wait:g} s: {message}")
        if wait:
            self._clock.sleep(wait)
        raise _Unreliable(message)


class _Unreliable(Exception):
    """A read that is worth another attempt."""


def _log_order(fault: str) -> None:
    logger.warning("RetailOps sent a purchase order that cannot be read: %s", fault)


def _log_ship_class(fault: str) -> None:
    logger.warning("RetailOps sent a ship class that cannot be read: %s", fault)


class _Pace:
    """At most so many calls a second, whichever thread makes them."""

    def __init__(self, rate: float | None, clock: Clock) -> None:
        self._gap = 1.0 / rate if rate else 0.0
        self._clock = clock
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        if not self._gap:
            return
        with self._lock:
            now = self._clock.monotonic()
            turn = max(now, self._next)
            self._next = turn + self._gap
        if turn > now:
            self._clock.sleep(turn - now)


@dataclass(frozen=True)
class _Address:
    scheme: str
    host: str
    port: int
    netloc: str
    path: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.netloc}{self.path}"


def _read_address(base_url: str) -> _Address:
    try:
        parts = urlsplit(base_url.strip())
        host, port = (parts.hostname or "").encode("idna").decode("ascii"), parts.port
    except ValueError as error:
        raise UserError(f"retailops.base_url is {base_url!r}, which is no address.", fix=_FIX) from error
    if parts.scheme not in ("https", "http") or not host or parts.query or parts.fragment:
        raise UserError(f"retailops.base_url is {base_url!r}, which is no address of RetailOps.", fix=_FIX)
    if parts.username is not None or parts.password is not None:
        raise UserError("retailops.base_url holds a user name or a password.", fix=_FIX)
    if parts.scheme == "http" and not _is_loopback(host):
        raise UserError(f"retailops.base_url is {base_url!r}: without TLS the key could be read.", fix=_FIX)
    if not parts.path.isascii() or " " in parts.path:
        raise UserError(f"retailops.base_url is {base_url!r}, whose path cannot be sent.", fix=_FIX)
    shown = f"[{host}]" if ":" in host else host
    default = 443 if parts.scheme == "https" else 80
    netloc = shown if port in (None, default) else f"{shown}:{port}"
    return _Address(parts.scheme, host, port or default, netloc, parts.path.rstrip("/"))


_FIX: Final = (
    "Write an https:// address, such as https://api.retailops.com, or an http:// one of a sandbox on "
    "this machine."
)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check_key(key: str) -> None:
    if not key:
        raise UserError(
            "The API key of RetailOps is empty.",
            fix="Set RETAILOPS_API_KEY, or put the key into the file that api_key_file names.",
        )
    if not key.isascii() or not key.isprintable() or " " in key:
        raise UserError(
            "The API key of RetailOps holds characters that no key has (a space, a line end, a letter with "
            "an accent).",
            fix="Copy the key again, by itself, into RETAILOPS_API_KEY or the file that api_key_file names.",
        )

"""The client against a real HTTP server on loopback, and against servers that misbehave below HTTP."""

import contextlib
import gzip
import logging
import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from filebridge.documents.ship_classes import ShipClass
from filebridge.errors import CallRefused, KeyRefused, RetailOpsUnreachable, UserError
from filebridge.planning.plan import Action
from filebridge.retailops.client import RetailOps, Timeouts
from filebridge.retailops.transport import ANSWER_BYTES
from filebridge.retailops.wire import AnswerKind, path_of
from filebridge.sandbox import Sandbox, State, seed_orders

KEY = "invented-key-0123456789"
BODY = b'{"records":[{"vendor_id":"27","vpc":"A","quantity":1}]}'
UPDATE = path_of(Action.UPDATE)


@pytest.fixture
def sandbox():
    with Sandbox(State(seed_orders(27, 7)), keys={KEY: None}) as running:
        yield running


@pytest.fixture
def connect():
    made = []

    def make(url, **options):
        options = {"retry_seconds": 0.01, "timeouts": Timeouts(connect=2, read=2, whole=2)} | options
        made.append(RetailOps(url, options.pop("key", KEY), **options))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def serve():
    """A server that does with each connection what it is told, by its address."""
    listeners, connections = [], []

    def start(behave):
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def accept():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                connections.append(connection)
                threading.Thread(target=run, args=(connection,), daemon=True).start()

        def run(connection):
            with contextlib.suppress(OSError):
                behave(connection)

        threading.Thread(target=accept, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
    for connection in connections:
        connection.close()


def send_update(client):
    return client.post(UPDATE, BODY, Action.UPDATE)


def test_a_call_carries_the_body_and_the_documented_headers(sandbox, connect):
    assert send_update(connect(sandbox.url)).kind is AnswerKind.CONFIRMED
    call = sandbox.calls[0]
    assert (call.method, call.path, call.body, call.key_ok) == ("POST", UPDATE, BODY, True)
    assert call.headers["content-type"] == "application/json"
    assert call.headers["accept-encoding"] == "identity"
    assert call.headers["host"] == sandbox.url.removeprefix("http://")


def test_the_connection_is_kept_for_the_next_call(serve, connect):
    connections = []

    def answer(connection):
        connections.append(connection)
        while connection.recv(65536):
            connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{"success":1}')

    client = connect(serve(answer))
    assert [send_update(client).kind for _ in range(3)] == [AnswerKind.CONFIRMED] * 3
    assert len(connections) == 1


def test_many_threads_share_a_client(sandbox, connect):
    client = connect(sandbox.url)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: send_update(client), range(100)))
    assert {answer.kind for answer in answers} == {AnswerKind.CONFIRMED}
    assert len(sandbox.calls) == 100


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"kind": "drop_before"}, AnswerKind.UNCERTAIN),
        ({"kind": "drop_after"}, AnswerKind.UNCERTAIN),
        ({"kind": "short_body"}, AnswerKind.UNCERTAIN),
        ({"kind": "http_error"}, AnswerKind.UNCERTAIN),
        ({"kind": "http_error_after"}, AnswerKind.UNCERTAIN),
        ({"kind": "html"}, AnswerKind.UNCERTAIN),
        ({"kind": "html_502"}, AnswerKind.UNCERTAIN),
        ({"kind": "empty"}, AnswerKind.UNCERTAIN),
        ({"kind": "deep"}, AnswerKind.UNCERTAIN),
        ({"kind": "wrong_types"}, AnswerKind.UNCERTAIN),
        ({"kind": "huge"}, AnswerKind.UNCERTAIN),
        ({"kind": "gzip_bomb"}, AnswerKind.UNCERTAIN),
        ({"kind": "slow_after", "seconds": 30}, AnswerKind.UNCERTAIN),
        ({"kind": "too_many"}, AnswerKind.NOT_APPLIED),
        ({"kind": "dispatcher_shutdown"}, AnswerKind.NOT_APPLIED),
        ({"kind": "errorcode_null"}, AnswerKind.CONFIRMED),
        ({"kind": "error", "text": "invalid sku"}, AnswerKind.REFUSED),
        ({"kind": "authn"}, AnswerKind.KEY_REFUSED),
        ({"kind": "authz"}, AnswerKind.KEY_REFUSED),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else "",
)
def test_whatever_comes_back_is_an_answer(sandbox, connect, fault, kind):
    sandbox.faults.add(fault)
    answer = send_update(connect(sandbox.url, timeouts=Timeouts(connect=1, read=0.5, whole=3)))
    assert answer.kind is kind
    assert bool(answer.message) is (kind is not AnswerKind.CONFIRMED)


@pytest.mark.parametrize("fault", [{"whole": False}, {"whole": True}], ids=["body", "head"])
def test_an_answer_that_drips_ends_with_the_time_of_the_call(sandbox, connect, fault):
    sandbox.faults.add(fault | {"kind": "drip", "seconds": 0.1})
    client = connect(sandbox.url, timeouts=Timeouts(connect=1, read=1, whole=0.5))
    began = time.monotonic()
    answer = send_update(client)
    assert time.monotonic() - began < 1
    assert (answer.kind, answer.message) == (AnswerKind.UNCERTAIN, "no whole answer within 0.5 s")


def test_a_server_that_takes_the_body_in_too_slowly_ends_with_the_time_of_the_call(serve, connect):
    client = connect(serve(lambda connection: time.sleep(5)), timeouts=Timeouts(connect=1, read=9, whole=0.5))
    began = time.monotonic()
    answer = client.post(UPDATE, b" " * 50_000_000, Action.UPDATE)
    assert time.monotonic() - began < 1.5
    assert answer.kind is AnswerKind.UNCERTAIN


def test_what_fails_before_the_body_leaves_is_certainly_not_applied(connect):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    answer = send_update(connect(f"http://127.0.0.1:{port}"))
    assert (answer.kind, answer.message) == (AnswerKind.NOT_APPLIED, "no connection: Connection refused")


def test_a_host_that_does_not_exist_is_certainly_not_applied(connect):
    answer = send_update(connect("https://no-such-host.invalid"))
    assert answer.kind is AnswerKind.NOT_APPLIED


def test_a_connection_that_the_server_closed_meanwhile_is_not_used_again(serve, connect):
    def answer_once(connection):
        connection.recv(65536)
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{"success":1}')
        connection.close()

    client = connect(serve(answer_once))
    for _ in range(5):
        assert send_update(client).kind is AnswerKind.CONFIRMED
        time.sleep(0.05)


def test_a_reset_while_the_body_is_on_its_way_is_uncertain(serve, connect):
    def reset(connection):
        connection.recv(10)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        connection.close()

    assert send_update(connect(serve(reset))).kind is AnswerKind.UNCERTAIN


def test_an_answer_that_comes_compressed_unasked_is_decoded_up_to_the_limit(serve, connect):
    def packed(text):
        body = gzip.compress(text)
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n".encode()

        def answer(connection):
            connection.recv(65536)
            connection.sendall(head + body)

        return answer

    assert send_update(connect(serve(packed(b'{"success":1}')))).kind is AnswerKind.CONFIRMED
    huge = b'{"success":1,"x":"' + b"x" * ANSWER_BYTES + b'"}'
    answer = send_update(connect(serve(packed(huge))))
    assert (answer.kind, answer.message) == (
        AnswerKind.UNCERTAIN,
        "the answer cannot be read: it is larger than 16 MB",
    )


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_refused_and_the_other_host_hears_nothing(sandbox, connect, status):
    with Sandbox() as other:
        sandbox.faults.add(kind="redirect", status=status, location=other.url + UPDATE)
        answer = send_update(connect(sandbox.url))
        assert (answer.kind, answer.stops) == (AnswerKind.UNCERTAIN, True)
        assert other.calls == []


def test_a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_sent(connect):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(__file__).parent / "files" / "self-signed.pem")
    heard = []

    def listen():
        connection, _ = listener.accept()
        try:
            with context.wrap_socket(connection, server_side=True) as secured:
                heard.append(secured.recv(1))
        except OSError:
            connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=listen)
        server.start()
        answer = send_update(connect(f"https://127.0.0.1:{listener.getsockname()[1]}"))
        server.join(5)
    assert answer.kind is AnswerKind.NOT_APPLIED
    assert "certificate" in answer.message.lower()
    assert heard in ([], [b""])


def test_a_proxy_of_the_environment_is_not_used(sandbox, connect, monkeypatch):
    with Sandbox() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert send_update(connect(sandbox.url)).kind is AnswerKind.CONFIRMED
        assert proxy.calls == []


@pytest.mark.parametrize(
    "url",
    [
        "http://api.retailops.com",
        "ftp://api.retailops.com",
        "api.retailops.com",
        "https://",
        "https://user:word@api.retailops.com",
        "https://api.retailops.com?apikey=x",
        "http://127.0.0.1.example.com",
        "https://[::1",
    ],
)
def test_an_address_that_could_give_the_key_away_is_refused(url):
    with pytest.raises(UserError, match=r"base_url"):
        RetailOps(url, KEY)


@pytest.mark.parametrize("key", ["", "two words", "line\nend", "ключ"])
def test_a_key_that_no_header_can_hold_is_refused_without_showing_it(key):
    with pytest.raises(UserError) as refusal:
        RetailOps("https://api.retailops.com", key)
    assert not key or key not in str(refusal.value)


def test_a_path_before_the_actions_is_kept(sandbox, connect):
    send_update(connect(sandbox.url + "/v1/"))
    assert sandbox.calls[0].path == "/v1" + UPDATE


class Hidden:
    def reveal(self):
        return KEY


def test_the_key_is_in_no_text_that_anyone_may_see(sandbox, connect, caplog):
    caplog.set_level(logging.DEBUG)
    client = connect(sandbox.url, key=Hidden())
    sandbox.faults.add(kind="error", text=f"the key {KEY} may not do this")
    answer = send_update(client)
    sandbox.faults.add(kind="authn", text=f"unknown key {KEY}")
    with pytest.raises(KeyRefused) as refusal:
        client.fetch_orders("27", ["ready"])
    assert answer.message == "the key [key] may not do this (general)"
    assert sandbox.calls[0].key_ok
    shown = [repr(client), str(client.__dict__), repr(answer), str(refusal.value), caplog.text]
    assert not any(KEY in text for text in shown)


def test_calls_keep_to_the_rate(sandbox, connect):
    client = connect(sandbox.url, rate=50)
    began = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: send_update(client), range(11)))
    assert time.monotonic() - began >= 0.2


# Reads


def test_orders_are_fetched_over_all_pages_as_they_were_sent(sandbox, connect):
    orders = connect(sandbox.url, page=3).fetch_orders("27", ["ready"])
    assert [order["po"] for order in orders] == [f"D27{number:05d}" for number in range(1, 8)]
    assert orders[0]["items"] == sandbox.state.pos["D2700001"]["items"]
    assert sandbox.calls[0].body == (
        b'{"vendor_id":"27","start":0,"limit":3,"status":"ready","with_items":true}'
    )


def test_a_server_that_caps_its_pages_hides_no_orders(sandbox, connect):
    sandbox.settings = sandbox.settings.changed({"max_limit": 2})
    assert len(connect(sandbox.url).fetch_orders("27", ["ready"])) == 7


def test_orders_that_leave_between_pages_take_no_others_with_them(sandbox, connect):
    sandbox.faults.add(kind="page_change", action="fetch", remove=["D2700001", "D2700002", "D2700003"])
    orders = connect(sandbox.url, page=3).fetch_orders("27", ["ready"])
    assert {order["po"] for order in orders} >= {f"D27{number:05d}" for number in range(4, 8)}


@pytest.mark.parametrize(
    "kind", ["drop_before", "http_error", "html", "too_many", "dispatcher_shutdown", "success_0"]
)
def test_a_read_is_tried_again(sandbox, connect, kind):
    sandbox.faults.add({"kind": kind, "times": 2} | ({"retry_after": "0"} if kind == "too_many" else {}))
    assert len(connect(sandbox.url).fetch_orders("27", ["ready"])) == 7


def test_a_read_that_never_succeeds_is_given_up_with_the_reason(sandbox, connect):
    sandbox.faults.add(kind="html", times=0)
    with pytest.raises(RetailOpsUnreachable, match=r"a web page in place of an answer"):
        connect(sandbox.url, attempts=3).fetch_orders("27", ["ready"])
    assert len(sandbox.calls) == 3


def test_a_read_is_not_tried_again_where_that_cannot_help(sandbox, connect):
    client = connect(sandbox.url)
    for fault, error in (
        ({"kind": "authz"}, KeyRefused),
        ({"kind": "error", "text": "no such vendor"}, CallRefused),
        ({"kind": "redirect", "location": "https://example.com/"}, RetailOpsUnreachable),
        ({"kind": "too_many", "retry_after": "3600"}, RetailOpsUnreachable),
    ):
        sandbox.faults.add(fault)
        with pytest.raises(error):
            client.fetch_orders("27", ["ready"])
    assert len(sandbox.calls) == 4


def test_an_answer_without_a_list_of_orders_is_no_empty_list(sandbox, connect):
    sandbox.faults.add(kind="raw", text='{"success":1}', times=0)
    with pytest.raises(RetailOpsUnreachable, match=r"without a list of purchase orders"):
        connect(sandbox.url, attempts=2).fetch_orders("27", ["ready"])


def test_a_record_that_cannot_be_read_is_told_and_the_others_are_kept(sandbox, connect):
    sandbox.faults.add(kind="raw", text='{"success":1,"records":[{"po":"D1"},{"status":"ready"}]}', times=1)
    faults = []
    orders = connect(sandbox.url).fetch_orders("27", ["ready"], wanted={"D1"}, on_fault=faults.append)
    assert [order["po"] for order in orders] == ["D1"]
    assert faults == ["record 2 has no PO number (`po`)"]


# Ship classes


def test_ship_classes_are_fetched_with_the_documented_body(sandbox, connect):
    classes = connect(sandbox.url).fetch_ship_classes()
    call = sandbox.calls[0]
    assert (call.path, call.body) == ("/Constant/Ship/CarrierClass/fetch.json", b'{"all":1}')
    assert ShipClass(62, "UPS Ground", True) in classes
    assert [one.name for one in classes if one.id in (7, 113)] == ["FedEx Ground", "FedEx Ground"]


def test_reading_ship_classes_is_tried_again(sandbox, connect):
    sandbox.faults.add(kind="html_502", action="carriers", times=2)
    assert len(connect(sandbox.url).fetch_ship_classes()) > 20
    sandbox.faults.add(kind="raw", text='{"success":1}', times=0)
    with pytest.raises(RetailOpsUnreachable, match=r"without a list of ship classes"):
        connect(sandbox.url, attempts=2).fetch_ship_classes()


@pytest.mark.parametrize(
    ("fault", "error"), [({"kind": "authz"}, KeyRefused), ({"kind": "error", "text": "no"}, CallRefused)]
)
def test_reading_ship_classes_raises_what_reading_orders_raises(sandbox, connect, fault, error):
    sandbox.faults.add(fault)
    with pytest.raises(error):
        connect(sandbox.url).fetch_ship_classes()


def test_a_ship_class_that_cannot_be_read_is_told_or_logged_and_the_others_are_kept(sandbox, connect, caplog):
    sandbox.faults.add(kind="raw", text='{"success":1,"records":[{"id":1,"name":"UPS"},{"id":2}]}', times=2)
    faults = []
    assert connect(sandbox.url).fetch_ship_classes(on_fault=faults.append) == (ShipClass(1, "UPS", True),)
    assert faults == ["record 2 has the id 2 and no name"]
    with caplog.at_level(logging.WARNING):
        connect(sandbox.url).fetch_ship_classes()
    assert "a ship class that cannot be read: record 2" in caplog.text

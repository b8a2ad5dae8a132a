"""HTTP as the sandbox speaks it."""

import json
import socket
import statistics
import time

import pytest

from filebridge.sandbox import DEFAULT_KEY, Sandbox
from filebridge.sandbox.wire import MAX_BODY_BYTES

FETCH_BODY = {"vendor_id": "27", "status": "ready"}


def exchange(sandbox: Sandbox, raw: bytes) -> bytes:
    """Send bytes as they are and read until the other side closes."""
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=5) as connection:
        connection.sendall(raw)
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
        return b"".join(parts)


def post_head(*headers: str) -> bytes:
    lines = ["POST /vendor/po/fetch.json HTTP/1.1", "Host: x", f"apikey: {DEFAULT_KEY}", *headers]
    return ("\r\n".join([*lines, "Connection: close"]) + "\r\n\r\n").encode()


@pytest.mark.parametrize(
    "path",
    [
        "/Vendor/PO/Fetch.json",
        "/vendor/po/fetch~1.json",
        "/VENDOR/PO/FETCH~1.JSON",
        "/vendor/po/fetch.json?x=1",
    ],
)
def test_a_path_is_compared_without_case_and_its_version_may_be_left_out(sandbox, client, path):
    assert client.post(path, FETCH_BODY).json["success"] == 1
    assert sandbox.calls[0].action == "Vendor.PO.fetch"
    assert sandbox.calls[0].path == path


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/vendor/po/fetch~2.json", "Action Vendor.PO.fetch~2 not found"),
        ("/vendor/po/cancel.json", "Action /vendor/po/cancel.json not found"),
        ("/vendor/po/fetch", "Action /vendor/po/fetch not found"),
        ("/", "Action / not found"),
        ("/product/externalsku/update.json", "Product.ExternalSku.update~1 is not simulated"),
        ("/vendor/po/completeds.json", "Vendor.PO.CompleteDS~1 is not simulated"),
        ("/Vendor/PO/SubmitPartialTracking.json", "Vendor.PO.SubmitPartialTracking~1 is not simulated"),
    ],
)
def test_an_action_that_is_not_there_is_an_error_with_status_200(client, path, words):
    answer = client.post(path, FETCH_BODY)
    assert answer.status == 200
    assert words in answer.json["ERROR"]
    assert answer.json["ERRORCODE"] == "general"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_only_post_is_taken(client, method):
    answer = client.send(method, "/vendor/po/fetch.json", b"{}", {"apikey": DEFAULT_KEY})
    assert answer.json["ERROR"] == f"POST only, not {method}"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'"text"',
        b"{",
        b'{"vendor_id":NaN}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' + b"9" * 5000 + b"}",
        # The guide's own sample of UpdateEstShipDate, which lacks a comma.
        b'{"records":[{"po":"D123","estimated_ship_date":"2015-07-02T14:47:47Z" "items":[]}]}',
    ],
)
def test_a_body_that_is_not_a_json_object_is_an_error_in_words(client, capfd, body):
    answer = client.post("/vendor/po/fetch.json", body)
    assert answer.status == 200
    assert answer.json["ERROR"].startswith("malformed JSON string")
    assert capfd.readouterr() == ("", "")


def test_many_calls_share_one_connection_and_none_waits_for_a_delayed_acknowledgement(client):
    seconds = []
    for _ in range(200):
        begun = time.perf_counter()
        client.post("/vendor/po/fetch.json", FETCH_BODY)
        seconds.append(time.perf_counter() - begun)
    assert statistics.median(seconds) < 0.01


def test_a_body_may_come_in_chunks(sandbox):
    body = json.dumps(FETCH_BODY).encode()
    chunks = b"".join(b"%x;note\r\n%s\r\n" % (1, body[n : n + 1]) for n in range(len(body)))
    answer = exchange(sandbox, post_head("Transfer-Encoding: chunked") + chunks + b"0\r\nTrailer: x\r\n\r\n")
    assert b'"success":1' in answer
    assert sandbox.calls[0].body == body


def test_a_client_that_waits_for_100_continue_gets_it(sandbox):
    body = json.dumps(FETCH_BODY).encode()
    answer = exchange(sandbox, post_head("Expect: 100-continue", f"Content-Length: {len(body)}") + body)
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"NONSENSE\r\n\r\n", b"400"),
        (post_head("Content-Length: x"), b"400"),
        (post_head("Content-Length: 3", "Transfer-Encoding: chunked"), b"400"),
        (post_head("Transfer-Encoding: chunked") + b"zz\r\n", b"400"),
        (post_head(f"Content-Length: {MAX_BODY_BYTES + 1}") + b"x" * 100_000, b"413"),
        (post_head("Transfer-Encoding: chunked") + b"%x\r\n" % (MAX_BODY_BYTES + 1), b"413"),
        (post_head(*(f"X-{n}: 1" for n in range(200))), b"431"),
        (post_head(": no name"), b"400"),
    ],
)
def test_what_is_not_http_or_is_too_large_is_answered_recorded_and_closed(sandbox, capfd, raw, status):
    answer = exchange(sandbox, raw)
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["ERRORCODE"] == "general"
    assert [call.status for call in sandbox.calls] == [int(status)]
    assert capfd.readouterr() == ("", "")


def test_a_request_that_stops_in_its_body_is_no_call(sandbox):
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=5) as connection:
        connection.sendall(post_head("Content-Length: 100") + b"{")
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100) == b""
    assert sandbox.calls == []


def test_it_refuses_to_listen_on_anything_but_loopback():
    for host in ("0.0.0.0", "192.0.2.1", "example.com", ""):
        with pytest.raises(ValueError, match="loopback only"):
            Sandbox(host=host)


def test_it_listens_on_the_same_port_when_it_is_started_again(connect):
    sandbox = Sandbox().start()
    port = sandbox.port
    assert sandbox.url == f"http://127.0.0.1:{port}"
    assert connect(sandbox).update(("A", 1)).json == {"success": 1}
    sandbox.stop()
    with pytest.raises(ConnectionRefusedError):
        connect(sandbox).update(("A", 2))
    with sandbox.start():
        assert sandbox.port == port
        assert connect(sandbox).update(("A", 3)).json == {"success": 1}
    assert sandbox.state.history("27", "A") == [1, 3]

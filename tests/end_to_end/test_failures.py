"""What goes wrong outside, for real, from the command line: nothing is lost, and the next run goes on."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from typing import Any

STOCK = "SKU,Qty\nA,5\n00120,7\n"
DELIVERED = {"A": 5, "00120": 7}
UPDATE = "/product/externalsku/update~2.json"


def test_a_wrong_key_rejects_nothing_and_the_right_one_goes_on(
    office: Callable[..., Any], retailops: Any
) -> None:
    made = office()
    made.write("inbox/acme/stock.csv", STOCK)
    code, _, said = made.run("run", key="not-the-key")
    assert code == 3 and "not-the-key" not in said
    assert made.receipt("stock.csv")["outcomes"] == {"pending": 2}

    assert made.run("run")[0] == 0
    assert (made.receipt("stock.csv")["status"], retailops.quantities()) == ("accepted", DELIVERED)


def test_without_a_network_work_is_kept(office: Callable[..., Any], retailops: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        made = office(base_url=f"'http://127.0.0.1:{taken.getsockname()[1]}'")
        made.write("inbox/acme/stock.csv", STOCK)
        assert made.run("run")[0] == 3
    assert made.receipt("stock.csv")["outcomes"] == {"pending": 2}

    assert office().run("run")[0] == 0
    assert (made.receipt("stock.csv")["status"], retailops.quantities()) == ("accepted", DELIVERED)


def test_a_call_that_timed_out_is_delivered_and_stated_once_more_later(
    office: Callable[..., Any], retailops: Any
) -> None:
    made = office(timeout="1s", deadline="2s", quarantine="3s")
    made.write("inbox/acme/stock.csv", STOCK)
    retailops.ask("faults", {"kind": "timeout_after", "action": "update", "seconds": 4})
    assert made.run("run", "--only", "in")[0] == 0
    assert made.receipt("stock.csv")["outcomes"] == {"delivered": 2}
    assert len(retailops.calls()) == 2

    assert made.run("run", "--only", "in", "--settle")[0] == 0
    bodies = [
        {one["vpc"]: one["quantity"] for one in json.loads(body)["records"]} for _, body in retailops.calls()
    ]
    assert bodies == [DELIVERED] * 3
    assert made.run("run", "--only", "in", "--settle")[0] == 0
    assert len(retailops.calls()) == 3


def test_two_at_once_do_the_work_once(office: Callable[..., Any], retailops: Any) -> None:
    made = office()
    made.write("inbox/acme/stock.csv", STOCK)
    retailops.ask("faults", {"kind": "hold", "action": "update"})
    first = made.start("run")
    while not retailops.ask("state")["held"]:
        assert first.poll() is None, first.communicate()
        time.sleep(0.02)
    code, _, said = made.run("run")
    assert code == 4 and str(first.pid) in said
    assert made.run("status")[0] == 0
    retailops.ask("release", {})
    first.communicate(timeout=60)
    assert first.returncode == 0
    assert [path for path, _ in retailops.calls() if path == UPDATE] == [UPDATE]

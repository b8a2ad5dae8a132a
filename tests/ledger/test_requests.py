from __future__ import annotations

import pytest

from filebridge.ledger import requests
from filebridge.ledger.connect import Ledger


def test_a_decision_is_written_down_once_and_carried_out_once(ledger: Ledger) -> None:
    with ledger.begin() as connection:
        first = requests.ask(connection, "release", "fbcd234567", now=5, by="ann")
        assert requests.ask(connection, "release", "fbcd234567", now=6, by="bob") == first
        other = requests.ask(connection, "discard", "fbcd234567", now=7, by="ann")
        assert [(row.id, row.kind, row.asked_by) for row in requests.open_requests(connection)] == [
            (first, "release", "ann"),
            (other, "discard", "ann"),
        ]
        assert requests.finish(connection, first, now=9, result="stock.csv is let go.")
        assert not requests.finish(connection, first, now=10, result="again")
        done = requests.request_row(connection, first)
        assert (done.done_at, done.result) == (9, "stock.csv is let go.")
        assert [row.id for row in requests.open_requests(connection)] == [other]
        assert requests.ask(connection, "release", "fbcd234567", now=11, by="ann") not in (first, other)
        with pytest.raises(KeyError):
            requests.request_row(connection, 999)

from __future__ import annotations

from filebridge.ledger import arrivals
from filebridge.ledger.connect import Ledger


def test_a_name_keeps_the_time_it_was_first_seen_until_it_goes(ledger: Ledger) -> None:
    entries = [(b"a.csv", "a.csv"), (b"\xe4.csv", "\\xe4.csv")]
    with ledger.begin() as connection:
        arrivals.look(connection, "zenith", [(b"a.csv", "a.csv")], 1)
        arrivals.look(connection, "acme", entries, 5)
        found = arrivals.look(connection, "acme", entries[:1], 6)
        assert [(row.name, row.first_seen_at, row.seen_at) for row in found.there] == [("a.csv", 5, 6)]
        assert [row.name_bytes for row in found.gone] == [b"\xe4.csv"]
        again = arrivals.look(connection, "acme", entries, 7)
        assert [(row.name, row.first_seen_at) for row in again.there] == [("a.csv", 5), ("\\xe4.csv", 7)]
        assert again.gone == ()
        assert len(arrivals.arrivals(connection, "zenith")) == 1


def test_another_reason_is_explained_anew(ledger: Ledger) -> None:
    with ledger.begin() as connection:
        arrivals.look(connection, "acme", [(b"a.csv", "a.csv")], 5)

        def standing() -> tuple[str, bool]:
            (row,) = arrivals.arrivals(connection, "acme")
            return row.reason, row.explained

        assert standing() == ("", False)
        arrivals.set_reason(connection, "acme", b"a.csv", "It is still growing.")
        arrivals.set_explained(connection, "acme", b"a.csv")
        arrivals.set_reason(connection, "acme", b"a.csv", "It is still growing.")
        assert standing() == ("It is still growing.", True)
        arrivals.look(connection, "acme", [(b"a.csv", "a.csv")], 6)
        assert standing() == ("It is still growing.", True)
        arrivals.set_reason(connection, "acme", b"a.csv", "It is open in Excel.")
        assert standing() == ("It is open in Excel.", False)

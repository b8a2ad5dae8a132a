from __future__ import annotations

from filebridge.ledger import passes
from filebridge.ledger.connect import Ledger
from filebridge.ledger.passes import PassRow


def test_the_last_pass_is_told_with_its_heartbeat_and_its_end(ledger: Ledger) -> None:
    with ledger.begin() as connection:
        assert passes.last(connection) is None
        first = passes.begin(connection, "run 41", 5)
        passes.end(connection, first, 7, 1)
        killed = passes.begin(connection, "watch 42", 8)
        passes.beat(connection, killed, 9)
        assert passes.last(connection) == PassRow(killed, "watch 42", 8, 9, None, None)
        assert passes.last(connection, ended=True) == PassRow(first, "run 41", 5, 7, 7, 1)

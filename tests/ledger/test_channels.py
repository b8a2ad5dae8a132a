from __future__ import annotations

from filebridge.ledger import channels
from filebridge.ledger.channels import ChannelRow
from filebridge.ledger.connect import Ledger


def test_a_trouble_keeps_the_time_it_began_at_until_the_channel_works(ledger: Ledger) -> None:
    with ledger.begin() as connection:
        assert channels.channel_of(connection, "acme") == ChannelRow("acme")
        channels.trouble(connection, "acme", "unreachable", 5)
        channels.trouble(connection, "acme", "unreachable", 6)
        assert channels.channel_of(connection, "acme") == ChannelRow("acme", "unreachable", 5, 6, None)
        channels.trouble(connection, "acme", "key_refused", 7)
        assert channels.channel_of(connection, "acme").since == 7
        channels.fetched(connection, "acme", 8)
        channels.well(connection, "acme", 9)
        assert channels.channel_of(connection, "acme") == ChannelRow("acme", "", None, 9, 8)
        assert channels.last_fetched(connection, "acme") == 8
        assert channels.last_fetched(connection, "zenith") is None
        channels.well(connection, "aaron", 9)
        assert [row.vendor for row in channels.channels(connection)] == ["aaron", "acme"]

from __future__ import annotations

from filebridge.documents.ship_classes import ShipClass
from filebridge.ledger.connect import Ledger
from filebridge.ledger.ship_classes import KnownClasses, known, save

GROUND, SECOND, FREIGHT = (
    ShipClass(62, "UPS Ground"),
    ShipClass("113", "FedEx Ground"),
    ShipClass(114, "LTL", False),
)


def test_the_list_is_kept_for_each_vendor_as_it_came(ledger: Ledger) -> None:
    with ledger.begin() as connection:
        assert known(connection, "acme") is None
        save(connection, "acme", [GROUND, SECOND, FREIGHT], 5)
        save(connection, "zenith", [], 6)
    with ledger.read() as connection:
        assert known(connection, "acme") == KnownClasses(5, (GROUND, SECOND, FREIGHT), {})
        assert known(connection, "zenith") == KnownClasses(6, (), {})


def test_former_names_are_kept_until_a_class_is_back_as_it_was(ledger: Ledger) -> None:
    with ledger.begin() as connection:
        save(connection, "acme", [GROUND, SECOND], 1)
        save(connection, "acme", [ShipClass(62, "UPS Surface")], 2)
        found = known(connection, "acme")
        assert found is not None
        assert found.names_before == {"62": "UPS Ground", "113": "FedEx Ground"}
        save(connection, "acme", [GROUND], 3)
        assert known(connection, "acme") == KnownClasses(3, (GROUND,), {"113": "FedEx Ground"})
        save(connection, "acme", [GROUND, SECOND], 4)
        assert known(connection, "acme") == KnownClasses(4, (GROUND, SECOND), {})

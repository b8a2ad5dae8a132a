"""Product.ExternalSku.update v2: inventory advice."""

from typing import Any

from filebridge.sandbox.exchange import Exchange, Refused, check_vendor, read_records
from filebridge.sandbox.values import Json, as_text, id_text, whole_number


def update_external_skus(exchange: Exchange) -> Json:
    """Product.ExternalSku.update v2, inventory advice (section 5.1; shape documented, refusals assumed)."""

    def read(index: int, record: Any) -> tuple[str, str, Json]:
        vendor_id = _vendor_of(exchange, index, record)
        vpc = as_text(record.get("vpc"))
        if vpc is None or vpc in refused:
            raise Refused(f"for field idx {index}: invalid vpc")
        quantity = whole_number(record.get("quantity"))
        if quantity is None or quantity < 0:
            raise Refused(f"for field idx {index}: invalid quantity")
        return vendor_id, vpc, record

    refused = exchange.settings.refuse_vpcs
    good, results = read_records(exchange, read, ("vendor_id", "vpc"))
    exchange.state.give_advice(good, call_seq=exchange.call_seq, action=exchange.action, at=exchange.at)
    return results


def _vendor_of(exchange: Exchange, index: int, record: Json) -> str:
    """The vendor id of an advice record, given as `vendor_id` or, in its place, `vendor_name` (5.1, seen)."""
    vendor_id = id_text(record.get("vendor_id"))
    if vendor_id is None:
        vendor_id = _vendor_ids(exchange).get(str(record.get("vendor_name")))
    if vendor_id is None:
        raise Refused(f"for field idx {index}: invalid vendor")
    check_vendor(exchange, vendor_id)
    return vendor_id


def _vendor_ids(exchange: Exchange) -> dict[str, str]:
    from_pos = {
        str(po["vendor_name"]): id_text(po["vendor_id"]) or ""
        for po in exchange.state.pos.values()
        if po.get("vendor_name")
    }
    return from_pos | dict(exchange.settings.vendor_names)

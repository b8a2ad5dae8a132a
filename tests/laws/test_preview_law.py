"""What `preview` says is what `run` does, for any file after any others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

VPCS = st.sampled_from(["A", "B", "00120", "a", "NA", "1.23E+17", "", "C"])
QUANTITIES = st.sampled_from(["0", "0", "1", "2", "7", "x", "-3", "", "1,000", "2.5"])
COSTS = st.sampled_from(["", "1.50", "2", "free"])
FILES = st.lists(st.tuples(VPCS, QUANTITIES, COSTS), max_size=8)
MAPPINGS = st.fixed_dictionaries(
    {
        "covers": st.sampled_from(
            ["changes", "everything", "everything\nmissing: zero", "everything\nmissing: hold"]
        ),
        "duplicates": st.sampled_from(["reject", "last", "sum", "min"]),
        "send": st.sampled_from(["changed", "all"]),
        "guard": st.sampled_from(["off", "{max_zeroed: 40%}"]),
        "on_reject": st.sampled_from(["send_good", "reject_file", "{reject_file_above: 20%}"]),
    }
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mapping=MAPPINGS, files=st.lists(FILES, min_size=1, max_size=3), waits=st.booleans())
def test_any_file_after_any_others_is_sent_as_previewed(
    fresh_house: Callable[..., Any], mapping: dict[str, str], files: list[Any], waits: bool
) -> None:
    lines = "".join(f"{key}: {value}\n" for key, value in mapping.items())
    fields = "fields: {vpc: SKU, quantity: Qty, unit_cost: Cost}\n"
    mapping_text = f'document: inventory\nmatch: ["stock*"]\n{fields}{lines}'
    with fresh_house({"inventory.yaml": mapping_text}) as house:
        for number, rows in enumerate(files):
            text = "SKU,Qty,Cost\n" + "".join(f'{vpc},"{quantity}",{cost}\n' for vpc, quantity, cost in rows)
            house.run_as_previewed(f"stock-{number}.csv", text)
            house.clock.move(86_400 if waits else 60)

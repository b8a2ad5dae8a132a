"""State files and invented orders."""

import ast
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

import filebridge.sandbox
from filebridge.sandbox import State, StateError, seed_orders


def test_a_state_file_gives_back_what_was_saved(tmp_path, sandbox, client, record):
    client.mark(record("D1"))
    client.update(("Ø-9", 4), ("A", "5"))
    sandbox.state.save(tmp_path / "state.json")
    again = State.load(tmp_path / "state.json")
    assert again.as_json() == sandbox.state.as_json()
    assert again.quantities("27") == {"Ø-9": 4, "A": 5}
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_a_seed_file_needs_pos_alone(tmp_path, po):
    (tmp_path / "seed.json").write_text(json.dumps({"pos": [po("D1")], "today": "2026-11-23T12:00:00Z"}))
    assert list(State.load(tmp_path / "seed.json").pos) == ["D1"]


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"pos": 1}', '{"pos": [1]}', '{"pos": [], "format": 9}', '{"pos": [], "advice": [{}]}'],
)
def test_a_file_of_another_shape_is_refused_in_words(tmp_path, text):
    (tmp_path / "bad.json").write_text(text)
    with pytest.raises(StateError):
        State.load(tmp_path / "bad.json")


def test_invented_orders_are_the_same_for_the_same_seed_and_full_of_trouble():
    now = datetime(2026, 11, 23, tzinfo=UTC)
    orders = seed_orders(27, 60, 3, now=now)
    assert orders == seed_orders("27", 60, 3, now=now)
    assert orders != seed_orders(27, 60, 4, now=now)
    assert len({one["po"] for one in orders}) == 60
    assert len({item["po_item_id"] for one in orders for item in one["items"]}) == sum(
        len(one["items"]) for one in orders
    )
    assert all(one["date_submit"] <= "2026-11-23T00:00:00Z" and one["status"] == "ready" for one in orders)
    text = json.dumps(orders, ensure_ascii=False)
    assert all(
        word in text
        for word in ('"NA"', '"00120"', '"1E5"', '"MAR-1"', '"TRUE"', "Łukasz", '\\"', "\\n", '"02134"')
    )
    State(orders)


def test_the_sandbox_imports_the_standard_library_alone():
    for path in Path(filebridge.sandbox.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [one.name for one in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                is_own = name.startswith("filebridge.sandbox")
                assert is_own or name.partition(".")[0] in sys.stdlib_module_names, (path.name, name)

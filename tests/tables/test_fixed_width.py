"""Fixed width: positions count characters, padding is no part of a cell."""

from __future__ import annotations

COLUMNS = {"SKU": (1, 6), "Name": (7, 14), "Qty": (15, 18)}


def test_cells_stand_at_their_positions_in_characters(read):
    found = read(
        "000017Bürste    12\n000018Käse    0004\n\n000019\n".encode(), format="fixed", columns=COLUMNS
    )
    assert found.headers == ["SKU", "Name", "Qty"]
    assert found.rows == {1: ["000017", "Bürste", "12"], 2: ["000018", "Käse", "0004"], 4: ["000019", "", ""]}


def test_a_header_line_is_one_only_where_it_is_declared(read):
    found = read(b"SKU   Name    Qty \n000017Brush     12\n", format="fixed", columns=COLUMNS, header_row=1)
    assert found.rows == {2: ["000017", "Brush", "12"]}


def test_skip_rows_leaves_lines_out(read):
    content = b"000017Brush     12\nTotal           12\n"
    assert list(read(content, format="fixed", columns=COLUMNS, skip_rows="^Total").rows) == [1]


def test_fixed_width_without_columns_says_what_to_add(read):
    refusal = read.refused(b"000017Brush     12\n", format="fixed")
    assert refusal.code == "unreadable_file"
    assert "columns" in refusal.fix

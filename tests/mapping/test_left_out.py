"""What a mapping leaves out means the careful thing (DESIGN, cases settled)."""

from __future__ import annotations

import pytest

from filebridge.documents.fields import DOCUMENT_FIELDS
from filebridge.mapping.model import Guard, Mapping


@pytest.mark.parametrize("document", DOCUMENT_FIELDS)
def test_nothing_is_zeroed_sent_twice_or_in_part_unless_the_mapping_says_so(document: str) -> None:
    mapping = Mapping.model_validate({"document": document, "fields": {}})
    assert (mapping.covers, mapping.missing, mapping.duplicates) == ("changes", "keep", "reject")
    assert (mapping.send, mapping.partial, mapping.on_reject) == ("changed", "hold", "send_good")
    assert isinstance(mapping.guard, Guard)

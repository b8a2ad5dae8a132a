"""The key is in no record of the log, in its message or beside it, whatever comes back of a call or a read."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any

import pytest

from filebridge.errors import FileBridgeError
from filebridge.planning.plan import Action
from filebridge.retailops.client import RetailOps, Timeouts
from filebridge.retailops.wire import path_of
from filebridge.sandbox import Sandbox, State

KEY = "invented-key-0123456789"
BODY = b'{"records":[{"vendor_id":"27","vpc":"A","quantity":1}]}'
FAULTS: list[dict[str, Any]] = [
    {"kind": "error", "text": f"the key {KEY} may not do this"},
    {"kind": "raw", "text": f'{{"success":0,"records":[{{"vpc":"A","success":0,"ERROR":"{KEY}"}}]}}'},
    {"kind": "authn", "text": f"unknown key {KEY}"},
    {"kind": "http_error"},
    {"kind": "html_502"},
    {"kind": "too_many", "retry_after": "0.01"},
    {"kind": "dispatcher_shutdown"},
    {"kind": "redirect", "location": "http://127.0.0.1/elsewhere"},
    {"kind": "empty"},
    {"kind": "not_json", "text": KEY},
    {"kind": "drop_before"},
    {"kind": "drop_after"},
    {"kind": "short_body"},
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault["kind"])
def test_the_key_is_in_no_record_of_the_log(fault: dict[str, Any], caplog: Any) -> None:
    caplog.set_level(logging.DEBUG)
    with Sandbox(State(), keys={KEY: None}) as sandbox:
        sandbox.faults.add(fault | {"times": 0})
        client = RetailOps(sandbox.url, KEY, timeouts=Timeouts(1, 1, 1), attempts=2, retry_seconds=0.01)
        said = [repr(client.post(path_of(Action.UPDATE), BODY, Action.UPDATE))]
        for read in (lambda: client.fetch_orders("27", ["ready"]), client.fetch_ship_classes):
            with suppress(FileBridgeError):
                said.append(repr(read()))
        client.close()
    said += [str(vars(record)) + record.getMessage() for record in caplog.records]
    assert not [text for text in said if KEY in text]

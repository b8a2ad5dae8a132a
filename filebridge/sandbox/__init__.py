"""A RetailOps stand-in on loopback, with faults on demand.

It imports nothing else of FileBridge: what it knows, it knows from the wire document alone, so that one
misunderstanding cannot hide both in the client and in the thing the client is tested against. What the
public sources leave open is listed in `ASSUMPTIONS`.
"""

from filebridge.sandbox.assumptions import ASSUMPTIONS, Assumption
from filebridge.sandbox.calls import CallLog, RecordedCall
from filebridge.sandbox.command import main
from filebridge.sandbox.faults import KINDS, Fault, FaultError, Faults
from filebridge.sandbox.seed import seed_orders
from filebridge.sandbox.server import Sandbox
from filebridge.sandbox.settings import DEFAULT_KEY, Settings, SettingsError
from filebridge.sandbox.state import Effect, State
from filebridge.sandbox.store import Store
from filebridge.sandbox.values import StateError

__all__ = [
    "ASSUMPTIONS",
    "DEFAULT_KEY",
    "KINDS",
    "Assumption",
    "CallLog",
    "Effect",
    "Fault",
    "FaultError",
    "Faults",
    "RecordedCall",
    "Sandbox",
    "Settings",
    "SettingsError",
    "State",
    "StateError",
    "Store",
    "main",
    "seed_orders",
]

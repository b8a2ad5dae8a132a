"""Marks: which POs RetailOps is told are submitted, what came of it, and whether they are still as told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import orjson

from filebridge import outbox as box
from filebridge.clock import SECOND, Clock
from filebridge.columns import pack as pack_block
from filebridge.columns import text_column, unpack
from filebridge.ledger import calls, known_calls_of_nothing  # replaced below

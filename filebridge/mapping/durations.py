"""Durations and shares as the YAML writes them."""

from __future__ import annotations

import re
from decimal import Decimal

_UNITS = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600), "d": Decimal(86400)}


def parse_duration(text: str) -> float:
    """Seconds of a duration such as `20h`, `0.2s` or `250ms`. Raises ValueError that says what is expected."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)\s*", text)
    if not match:
        raise ValueError(f"{text!r} is no duration; write a number with ms, s, m, h or d, such as 20h")
    return float(Decimal(match[1]) * _UNITS[match[2]])


def parse_share(text: str) -> float:
    """A share from 0 to 1, of a percentage such as `50%`. Raises ValueError that says what is expected."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*%\s*", text)
    if not match or not 0 <= float(match[1]) <= 100:
        raise ValueError(f"{text!r} is no percentage; write one from 0% to 100%, such as 50%")
    return float(Decimal(match[1]) / 100)


_SIZES = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9}


def parse_size(text: str) -> int:
    """Bytes of a size such as `200MB`. Raises ValueError that says what is expected."""
    match = re.fullmatch(r"\s*(\d+)\s*(KB|MB|GB)?\s*", text, re.IGNORECASE)
    if not match:
        raise ValueError(f"{text!r} is no size; write a number with KB, MB or GB, such as 200MB")
    return int(match[1]) * _SIZES[(match[2] or "").upper()]

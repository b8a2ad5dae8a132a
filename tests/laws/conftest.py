"""Houses that cost little, one for each example of a law."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from filebridge.sandbox import Sandbox, State

MEMORY = Path("/dev/shm")


@pytest.fixture(scope="session")
def fresh_house(make_house: Callable[..., Any]) -> Callable[..., AbstractContextManager[Any]]:
    """A house with a pack, in memory where there is a folder for that: an example needs no durability."""

    @contextmanager
    def fresh(pack: Mapping[str, str]) -> Iterator[Any]:
        in_memory = tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)
        with in_memory as folder, Sandbox(State()) as sandbox:
            house = make_house(Path(folder), sandbox)
            house.pack(pack)
            yield house
            house.close()

    return fresh

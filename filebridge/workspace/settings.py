"""`filebridge.yaml` and the environment as frozen settings (DESIGN section 7). Every key has a default.

The environment wins over the file: `FILEBRIDGE_RETAILOPS__BASE_URL` is `base_url` of `retailops`. It is laid over
the YAML here, not by pydantic-settings: that import alone takes longer than a small pass (150 ms), and so a
fault in a variable is told like one in a line, by its name.
"""

from __future__ import annotations

import collections.abc
import ipaddress
import re
from typing import Annotated, Any, ClassVar, Final
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, ValidationError

from filebridge.errors import ConfigError
from filebridge.mapping.durations import parse_size
from filebridge.mapping.explain import blanks, by_line, explain
from filebridge.mapping.model import Filled, Seconds, Strict, Words
from filebridge.mapping.yaml_text import Node, Path, YamlText, read_yaml

SETTINGS_FILE: Final = "filebridge.yaml"
PREFIX: Final = "FILEBRIDGE_"


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine."""
    if host.casefold() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _base_url(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise ValueError(f"it is no address ({error}); write https://api.retailops.com") from error
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("it holds more than an address; write https://HOST")
    if parts.scheme not in {"https", "http"} or not host:
        raise ValueError(f"`{value}` is no address; write https://api.retailops.com")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError(
            f"`{value}` would send the API key in clear; write https://, plain http is for loopback alone"
        )
    return value.rstrip("/")


def _ledger_url(value: Any) -> Any:
    if isinstance(value, str) and not re.match(r"(sqlite|postgresql)(\+\w+)?://", value):
        # The URL itself may hold a password: it is not repeated.
        raise ValueError("it begins with neither sqlite:// nor postgresql://")
    return value


def _size(value: Any) -> Any:
    return parse_size(value) if isinstance(value, str) else value


Size = Annotated[int, BeforeValidator(_size, json_schema_input_type=str)]


class RetailOps(Strict):
    """The way to RetailOps."""

    elsewhere: ClassVar[collections.abc.Mapping[str, str]] = {
        "api_key": "A key never stands in YAML: set RETAILOPS_API_KEY, or name its file with `api_key_file`."
    }

    base_url: Annotated[str, BeforeValidator(_base_url)] = Field(
        "https://api.retailops.com", description="address of the API; plain http to loopback alone"
    )
    api_key_file: Filled | None = Field(None, description="file with the API key, else RETAILOPS_API_KEY")
    timeout: Seconds = Field(120.0, gt=0, description="longest silence while an answer is awaited")
    deadline: Seconds = Field(150.0, gt=0, description="longest a whole call may take")
    concurrency: int = Field(12, ge=1, le=64, description="most calls in flight")
    rate: float | None = Field(None, gt=0, description="most calls a second; left out: no limit")
    attempts: int = Field(
        5, ge=1, le=20, description="how often a call that was not applied is sent in one pass"
    )
    quarantine: Seconds = Field(600.0, ge=0, description="how long a call that timed out may still land")


class LedgerSettings(Strict):
    """Where the ledger is."""

    url: Annotated[str, BeforeValidator(_ledger_url)] | None = Field(
        None, description="SQLAlchemy URL of SQLite or PostgreSQL; left out: .filebridge/ledger.db"
    )


class Intake(Strict):
    """How files are taken from the inbox."""

    settle: Seconds = Field(5.0, ge=0, description="how long a file must be quiet before it is taken")
    explain_after: Seconds = Field(
        120.0, ge=0, description="after this a file that was not taken gets a note"
    )
    poll: bool = Field(False, description="true: no file events, only scans (network shares)")
    scan: Seconds = Field(10.0, gt=0, description="time between two scans of `watch`")
    max_size: Size = Field(200_000_000, gt=0, description="largest file that is taken, such as 200MB")


class Retention(Strict):
    """How long originals and replies are kept."""

    days: int = Field(400, ge=1, description="days in the archive")


class Folders(Strict):
    """Where the folders are: below the workspace, or absolute."""

    inbox: Filled = "inbox"
    outbox: Filled = "outbox"
    archive: Filled = "archive"
    mappings: Filled = "mappings"


class Settings(Strict):
    """All of `filebridge.yaml`."""

    retailops: RetailOps = Field(default_factory=RetailOps)
    ledger: LedgerSettings = Field(default_factory=LedgerSettings)
    intake: Intake = Field(default_factory=Intake)
    retention: Retention = Field(default_factory=Retention)
    folders: Folders = Field(default_factory=Folders)
    alerts: Words = Field((), description="Apprise URLs; secrets as ${ENV}")


def load_settings(text: str, environment: collections.abc.Mapping[str, str]) -> Settings:
    """Settings from the text of filebridge.yaml (empty where there is none) and the environment.

    Raises ConfigError with every fault, each with its line or its variable.
    """
    yaml = _with_environment(read_yaml(text, SETTINGS_FILE), environment)
    problems = blanks(yaml)
    try:
        settings = Settings.model_validate(yaml.tree)
    except ValidationError as error:
        raise ConfigError(sorted(problems + explain(error, Settings, yaml), key=by_line)) from error
    if problems:
        raise ConfigError(problems)
    return settings


def _with_environment(yaml: YamlText, environment: collections.abc.Mapping[str, str]) -> YamlText:
    tree: dict[str, Node] = dict(yaml.tree)
    places = dict(yaml.places)
    for variable in sorted(environment):
        name = variable.removeprefix(PREFIX).lower()
        if not variable.startswith(PREFIX) or not ("__" in name or name in Settings.model_fields):
            continue
        section, _, key = name.partition("__")
        path: Path = (section, key) if key else (section,)
        value: Node = environment[variable]
        if key:
            inner = tree.get(section, {})
            tree[section] = {**(inner if isinstance(inner, dict) else {}), key: value}
            places.setdefault((section,), f"environment {variable}")
        else:
            tree[section] = [part for part in re.split(r"[,\s]+", value) if part]
        places[path] = f"environment {variable}"
    blank = frozenset(path for path in yaml.blank if not places[path].startswith("environment"))
    return YamlText(place=yaml.place, tree=tree, places=places, blank=blank)

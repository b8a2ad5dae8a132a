"""`Workspace`: where everything is, and what may be done there."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from filebridge.errors import ConfigError, Problem, UserError
from filebridge.mapping.yaml_text import MAX_SIZE
from filebridge.workspace import lock
from filebridge.workspace.keys import ApiKey, find_key
from filebridge.workspace.packs import read_pack, read_text, vendors_in
from filebridge.workspace.settings import SETTINGS_FILE, Settings, load_settings
from filebridge.workspace.starter import state_readme, write_starter

if TYPE_CHECKING:
    from filebridge.mapping.pack import VendorPack

STATE_FOLDER: Final = ".filebridge"
_PRIVATE: Final = 0o700


@dataclass(frozen=True)
class Workspace:
    """One workspace: its top folder (absolute), and its settings."""

    root: Path
    settings: Settings

    @classmethod
    def open(cls, path: Path, *, environment: Mapping[str, str] | None = None) -> Workspace:
        """The workspace at `path`; `environment` is the process' own where it is left out.

        Raises UserError where there is none, ConfigError where its settings are wrong. Vendor packs are not
        read yet.
        """
        root = Path(os.path.abspath(path))
        settings_file = root / SETTINGS_FILE
        # os.path, not Path: it answers False, instead of raising, where one may not look.
        has_settings = os.path.isfile(settings_file)
        if not os.path.isdir(root):
            raise UserError(
                f"there is no folder {root}", fix="Choose another with -C, or run `filebridge init`."
            )
        if not has_settings and not os.path.isdir(root / "mappings"):
            fix = (
                f"Choose another folder with -C, or make this one a workspace with `filebridge init {root}`."
            )
            raise UserError(
                f"{root} is no workspace: it holds neither {SETTINGS_FILE} nor mappings/", fix=fix
            )
        text = read_text(settings_file, SETTINGS_FILE, largest=MAX_SIZE) if has_settings else ""
        return cls(root, load_settings(text, os.environ if environment is None else environment))

    @classmethod
    def create(cls, path: Path, *, environment: Mapping[str, str] | None = None) -> Workspace:
        """Make a workspace at `path`: settings, an example vendor pack, and every folder.

        Raises UserError, and changes nothing, where one of its files exists already.
        """
        root = Path(os.path.abspath(path))
        try:
            root.mkdir(parents=True, exist_ok=True)
            write_starter(root)
        except OSError as error:
            raise _cannot_write(root, error) from error
        workspace = cls.open(root, environment=environment)
        workspace.make_folders()
        return workspace

    @property
    def inbox(self) -> Path:
        """Where vendors drop files."""
        return self.root / self.settings.folders.inbox

    @property
    def outbox(self) -> Path:
        """Where PO files and replies appear."""
        return self.root / self.settings.folders.outbox

    @property
    def archive(self) -> Path:
        """Originals and replies, for `retention.days`."""
        return self.root / self.settings.folders.archive

    @property
    def mappings(self) -> Path:
        """One folder a vendor."""
        return self.root / self.settings.folders.mappings

    @property
    def state(self) -> Path:
        """FileBridge's own records, for its user alone."""
        return self.root / STATE_FOLDER

    @property
    def work(self) -> Path:
        """Files that are being worked on."""
        return self.state / "work"

    @property
    def logs(self) -> Path:
        """Logs and the reports of bugs."""
        return self.state / "logs"

    @property
    def ledger_url(self) -> str:
        """SQLAlchemy URL of the ledger."""
        return self.settings.ledger.url or f"sqlite:///{self.state / 'ledger.db'}"

    def inbox_of(self, vendor: str) -> Path:
        """The vendor's own drop folder."""
        return self.inbox / vendor

    def orders_of(self, vendor: str) -> Path:
        """Where the vendor's PO files appear."""
        return self.outbox / vendor / "orders"

    def replies_of(self, vendor: str) -> Path:
        """Where receipts, reject files and waiting notes of the vendor's files appear."""
        return self.outbox / vendor / "replies"

    def drop_folders(self, vendor: str) -> tuple[Path, ...]:
        """The folders whose files are the vendor's: its own, and with exactly one vendor pack the inbox itself.

        The second holds the first: below it only what is not in the vendor's own folder counts.
        """
        own = (self.inbox_of(vendor),)
        return (*own, self.inbox) if self.vendors() == (vendor,) else own

    def vendors(self) -> tuple[str, ...]:
        """Names of the vendors, from the folders in mappings/; their packs may yet be broken."""
        return vendors_in(self.mappings)

    def load_pack(self, vendor: str) -> VendorPack:
        """One vendor's pack. Raises ConfigError with every fault; a vendor that there is none of is one."""
        return read_pack(self.mappings, vendor)

    def load_packs(self) -> tuple[tuple[VendorPack, ...], tuple[Problem, ...]]:
        """Every vendor's pack that is in order, and the faults of the others, which do not stop these."""
        packs: list[VendorPack] = []
        problems: dict[Problem, None] = {}
        for vendor in self.vendors():
            try:
                packs.append(self.load_pack(vendor))
            except ConfigError as error:
                # A fault of _defaults.yaml is every vendor's, and said once.
                problems.update(dict.fromkeys(error.problems))
        return tuple(packs), tuple(problems)

    def api_key(
        self, pack: VendorPack | None = None, *, environment: Mapping[str, str] | None = None
    ) -> ApiKey:
        """The API key for a vendor (None: the workspace's). Raises UserError where none can be used.

        The vendor's own `api_key_file` wins over RETAILOPS_API_KEY, and that over the workspace's file.
        """
        return find_key(
            vendor_file=pack.settings.api_key_file if pack is not None else None,
            workspace_file=self.settings.retailops.api_key_file,
            root=self.root,
            environment=os.environ if environment is None else environment,
        )

    def make_folders(self) -> None:
        """Make the folders that are missing. `.filebridge/` and the archive are for FileBridge's user alone.

        Folders that others write to or read from get the mode of the folder they are made in, whatever the
        umask. Raises UserError where that is not allowed.
        """
        try:
            for folder in (self.state, self.work, self.logs, self.archive):
                _make_private(folder)
            self.state.chmod(_PRIVATE)
            readme = self.state / "README.txt"
            if not readme.exists():
                readme.write_text(state_readme(), encoding="utf-8")
            for vendor in self.vendors():
                for folder in (self.inbox_of(vendor), self.orders_of(vendor), self.replies_of(vendor)):
                    _make_shared(folder)
        except OSError as error:
            raise _cannot_write(Path(error.filename or self.root), error) from error

    @contextlib.contextmanager
    def lock(self, *, now: datetime) -> Iterator[None]:
        """Hold this workspace while the block runs. Raises WorkspaceBusy where another FileBridge does.

        `now` (with a zone) is what others are told of the time since when.
        """
        with self.try_lock(now=now) as held:
            if not held:
                raise lock.busy(self.root, self.state)
            yield

    @contextlib.contextmanager
    def try_lock(self, *, now: datetime) -> Iterator[bool]:
        """As `lock`, but the block is told whether this workspace is held, instead of an error."""
        try:
            _make_private(self.state)
        except OSError as error:
            raise _cannot_write(self.state, error) from error
        with lock.hold(self.state, now=now) as held:
            yield held


def _make_private(folder: Path) -> None:
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=_PRIVATE, exist_ok=True)
        folder.chmod(_PRIVATE)


def _make_shared(folder: Path) -> None:
    if not folder.is_dir():
        _make_shared(folder.parent)
        folder.mkdir(exist_ok=True)
        folder.chmod(folder.parent.stat().st_mode & 0o7777)


def _cannot_write(path: Path, error: OSError) -> UserError:
    fix = "Give FileBridge's user the right to write there."
    return UserError(f"{path} cannot be written: {error.strerror}", fix=fix)

"""A workspace: made, opened, checked, and held by one FileBridge at a time."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from filebridge.errors import ConfigError, UserError, WorkspaceBusy
from filebridge.workspace import Secret, Workspace
from filebridge.workspace.checks import notices_of, problems_of
from filebridge.workspace.starter import starter_files

PROJECT = Path(__file__).parents[1]
DOCUMENTS = {"inventory", "acknowledgements", "ship-dates", "shipments"}
NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
KEY = {"RETAILOPS_API_KEY": "abcdefgh-0123456789abcdef"}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.create(tmp_path / "ws", environment={})


def opened(root: Path, settings: str = "", **environment: str) -> Workspace:
    (root / "mappings").mkdir(exist_ok=True)
    (root / "filebridge.yaml").write_text(settings, encoding="utf-8")
    return Workspace.open(root, environment=environment)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def add_vendor(workspace: Workspace, name: str, **files: str) -> Path:
    folder = workspace.mappings / name
    folder.mkdir(parents=True)
    for stem, text in files.items():
        (folder / f"{stem}.yaml").write_text(text, encoding="utf-8")
    return folder


class TestMakingAndOpening:
    def test_a_new_workspace_is_in_order(self, workspace: Workspace):
        assert problems_of(workspace, environment=KEY) == []
        assert notices_of(workspace, environment=KEY) == []
        packs, problems = workspace.load_packs()
        assert problems == ()
        assert [pack.vendor for pack in packs] == ["acme"]
        assert packs[0].orders is not None
        assert {found.feed for found in packs[0].mappings} == DOCUMENTS

    def test_its_folders_are_there(self, workspace: Workspace):
        for folder in (
            workspace.inbox_of("acme"),
            workspace.orders_of("acme"),
            workspace.replies_of("acme"),
            workspace.archive,
            workspace.work,
            workspace.logs,
        ):
            assert folder.is_dir()
        assert workspace.inbox_of("acme") == workspace.root / "inbox" / "acme"
        assert workspace.orders_of("acme") == workspace.root / "outbox" / "acme" / "orders"
        assert workspace.replies_of("acme") == workspace.root / "outbox" / "acme" / "replies"
        assert workspace.ledger_url == f"sqlite:///{workspace.root}/.filebridge/ledger.db"
        assert "FileBridge keeps its own records here" in (workspace.state / "README.txt").read_text()

    @pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
    def test_what_is_ours_alone_is_ours_alone_whatever_the_umask(self, tmp_path: Path, umask: int):
        tmp_path.chmod(0o755)
        before = os.umask(umask)
        try:
            root = tmp_path / "ws"
            root.mkdir()
            root.chmod(0o775)
            workspace = Workspace.create(root, environment={})
        finally:
            os.umask(before)
        for private in (workspace.state, workspace.work, workspace.logs, workspace.archive):
            assert mode_of(private) == 0o700
        for shared in (workspace.inbox_of("acme"), workspace.orders_of("acme"), workspace.outbox):
            assert mode_of(shared) == 0o775

    def test_nothing_is_overwritten(self, tmp_path: Path):
        (tmp_path / "filebridge.yaml").write_text("retention: {days: 7}\n")
        with pytest.raises(UserError, match=r"already holds filebridge\.yaml"):
            Workspace.create(tmp_path, environment={})
        assert [path.name for path in tmp_path.iterdir()] == ["filebridge.yaml"]

    def test_the_projects_own_top_level_holds_the_same_example(self):
        for path, text in starter_files().items():
            assert (PROJECT / path).read_text(encoding="utf-8") == text

    def test_the_projects_own_top_level_is_a_workspace(self):
        packs, problems = Workspace.open(PROJECT, environment={}).load_packs()
        assert problems == ()
        assert "acme" in [pack.vendor for pack in packs]

    def test_a_folder_that_is_none_says_what_to_do(self, tmp_path: Path):
        with pytest.raises(UserError, match="it holds neither filebridge") as caught:
            Workspace.open(tmp_path)
        assert "filebridge init" in caught.value.fix
        with pytest.raises(UserError, match="there is no folder"):
            Workspace.open(tmp_path / "nowhere")

    def test_mappings_alone_are_a_workspace(self, tmp_path: Path):
        (tmp_path / "mappings").mkdir()
        settings = Workspace.open(tmp_path, environment={}).settings
        assert settings.retailops.base_url == "https://api.retailops.com"
        assert (settings.retailops.concurrency, settings.retailops.deadline) == (12, 150)
        assert (settings.intake.settle, settings.intake.explain_after, settings.intake.scan) == (5, 120, 10)
        assert (settings.intake.max_size, settings.retention.days) == (200_000_000, 400)

    def test_missing_folders_are_made_and_standing_ones_kept(self, workspace: Workspace):
        add_vendor(workspace, "bolt", vendor="vendor_id: 9\n")
        workspace.inbox_of("acme").chmod(0o770)
        workspace.make_folders()
        assert mode_of(workspace.inbox_of("acme")) == 0o770
        assert workspace.orders_of("bolt").is_dir()


class TestSettings:
    def test_every_fault_is_told_with_its_line_and_the_nearest_key(self, tmp_path: Path):
        with pytest.raises(ConfigError) as caught:
            opened(
                tmp_path,
                "retailops:\n"
                "  base_ulr: https://api.retailops.com\n"
                "  api_key: abc\n"
                "  concurrency: 0\n"
                "  rate: fast\n"
                "intake: {max_size: big}\n"
                "settle: 5s\n"
                "retention:\n"
                "ledger: {url: mysql://user:hidden@host/db}\n",
            )
        assert [(found.place, found.message, found.fix) for found in caught.value.problems] == [
            ("filebridge.yaml:2", "`base_ulr` is not known here", "Did you mean `base_url`?"),
            (
                "filebridge.yaml:3",
                "`api_key` is not known here",
                "A key never stands in YAML: set RETAILOPS_API_KEY, or name its file with `api_key_file`.",
            ),
            ("filebridge.yaml:4", "`retailops.concurrency: 0` is not as expected", "Expected: 1 or more."),
            ("filebridge.yaml:5", "`retailops.rate: fast` does not fit here", "Expected: a number."),
            (
                "filebridge.yaml:6",
                "`intake.max_size`: 'big' is no size; write a number with KB, MB or GB, such as 200MB",
                "",
            ),
            ("filebridge.yaml:7", "`settle` is not known here", "It belongs under `intake:`."),
            (
                "filebridge.yaml:8",
                "`retention:` has nothing after it",
                'Write its value or take the line out; an empty text is "".',
            ),
            (
                "filebridge.yaml:9",
                "`ledger.url`: it begins with neither sqlite:// nor postgresql://",
                "",
            ),
        ]

    @pytest.mark.parametrize(
        "url", ["https://api.retailops.com/", "http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:9"]
    )
    def test_plain_http_goes_to_loopback_alone(self, tmp_path: Path, url: str):
        assert opened(
            tmp_path, f"retailops: {{base_url: '{url}'}}"
        ).settings.retailops.base_url == url.rstrip("/")

    @pytest.mark.parametrize(
        "url",
        [
            "http://api.retailops.com",
            "http://10.0.0.1",
            "ftp://x",
            "api.retailops.com",
            "https://u:p@x",
            "http://[x",
        ],
    )
    def test_any_other_address_is_refused(self, tmp_path: Path, url: str):
        with pytest.raises(ConfigError, match=r"filebridge\.yaml:1: `retailops.base_url`: "):
            opened(tmp_path, f"retailops: {{base_url: '{url}'}}")

    def test_the_environment_wins_over_the_file(self, tmp_path: Path):
        settings = opened(
            tmp_path,
            "retailops: {base_url: https://a.example, rate: 5}\nintake: {settle: 9s}\n",
            FILEBRIDGE_RETAILOPS__BASE_URL="http://127.0.0.1:8080",
            FILEBRIDGE_INTAKE__POLL="true",
            FILEBRIDGE_FOLDERS__INBOX="in",
            FILEBRIDGE_ALERTS="mailto://a@example.com, mailto://b@example.com",
            FILEBRIDGE_SOMETHING="else",
            RETAILOPS_API_KEY="abc",
        ).settings
        assert (settings.retailops.base_url, settings.retailops.rate) == ("http://127.0.0.1:8080", 5)
        assert (settings.intake.settle, settings.intake.poll) == (9, True)
        assert settings.folders.inbox == "in"
        assert settings.alerts == ("mailto://a@example.com", "mailto://b@example.com")

    def test_a_fault_in_the_environment_is_told_by_its_variable(self, tmp_path: Path):
        with pytest.raises(ConfigError) as caught:
            opened(
                tmp_path,
                FILEBRIDGE_RETAILOPS__BASE_ULR="x",
                FILEBRIDGE_LEGDER__URL="x",
                FILEBRIDGE_INTAKE__SETTLE="5",
            )
        assert {(found.place, found.fix) for found in caught.value.problems} == {
            ("environment FILEBRIDGE_RETAILOPS__BASE_ULR", "Did you mean `base_url`?"),
            ("environment FILEBRIDGE_LEGDER__URL", "Did you mean `ledger`?"),
            ("environment FILEBRIDGE_INTAKE__SETTLE", ""),
        }

    def test_folders_may_lie_elsewhere(self, tmp_path: Path):
        workspace = opened(tmp_path, f"folders: {{inbox: {tmp_path}/share/in, outbox: out}}")
        assert workspace.inbox == tmp_path / "share" / "in"
        assert workspace.orders_of("acme") == tmp_path / "out" / "acme" / "orders"

    def test_a_file_that_is_no_utf8_is_told_with_its_line(self, tmp_path: Path):
        (tmp_path / "filebridge.yaml").write_bytes(b"retention: {days: 7}\n# caf\xe9\n")
        with pytest.raises(ConfigError, match=r"filebridge\.yaml:2: the file is not UTF-8"):
            Workspace.open(tmp_path, environment={})


class TestVendors:
    def test_a_broken_pack_does_not_stop_the_others(self, workspace: Workspace):
        add_vendor(workspace, "bolt", vendor="vendor_id: 9\n", inventory="document: inventroy\n")
        packs, problems = workspace.load_packs()
        assert [pack.vendor for pack in packs] == ["acme"]
        assert [problem.place for problem in problems] == ["mappings/bolt/inventory.yaml:1"]
        assert workspace.vendors() == ("acme", "bolt")

    def test_a_fault_that_all_share_is_told_once(self, workspace: Workspace):
        add_vendor(workspace, "bolt", vendor="vendor_id: 9\n")
        (workspace.mappings / "_defaults.yaml").write_text("inventry: {}\n")
        packs, problems = workspace.load_packs()
        assert packs == ()
        assert [problem.place for problem in problems] == ["mappings/_defaults.yaml:1"]

    def test_what_all_vendors_share_is_read(self, workspace: Workspace):
        add_vendor(workspace, "bolt", vendor="vendor_id: 9\n")
        (workspace.mappings / "_defaults.yaml").write_text("vendor: {time_zone: Asia/Tokyo}\n")
        assert workspace.load_pack("bolt").settings.time_zone == "Asia/Tokyo"

    def test_hidden_and_underscored_folders_and_files_are_no_vendors(self, workspace: Workspace):
        (workspace.mappings / ".git").mkdir()
        (workspace.mappings / "_old").mkdir()
        (workspace.mappings / "note.txt").write_text("x")
        assert workspace.vendors() == ("acme",)

    def test_other_files_of_a_pack_are_left_alone(self, workspace: Workspace):
        folder = add_vendor(workspace, "bolt", vendor="vendor_id: 9\n")
        (folder / "samples").mkdir()
        (folder / "samples" / "inventory.yaml").write_text("nonsense")
        (folder / "README.md").write_text("notes")
        (folder / ".inventory.yaml.swp").write_bytes(b"\xff")
        assert workspace.load_pack("bolt").settings.vendor_id == "9"

    def test_a_vendor_that_is_not_there_is_said(self, workspace: Workspace):
        with pytest.raises(ConfigError, match="mappings/bolt: there is no such vendor pack"):
            workspace.load_pack("bolt")

    @pytest.mark.parametrize("name", [" bolt", "bolt ", "bo\nlt", "bolt."])
    def test_a_name_that_would_mislead_is_refused(self, workspace: Workspace, name: str):
        add_vendor(workspace, name, vendor="vendor_id: 9\n")
        with pytest.raises(ConfigError, match="a vendor cannot have this name"):
            workspace.load_pack(name)

    def test_the_inbox_itself_is_the_drop_folder_of_a_vendor_that_is_alone(self, workspace: Workspace):
        assert workspace.drop_folders("acme") == (workspace.inbox / "acme", workspace.inbox)
        add_vendor(workspace, "bolt", vendor="vendor_id: 9\n")
        assert workspace.drop_folders("acme") == (workspace.inbox / "acme",)


class TestKeys:
    def test_the_vendors_file_wins_over_the_environment_and_that_over_the_workspace(self, tmp_path: Path):
        for name in ("own.key", "shared.key"):
            (tmp_path / name).write_text(f"{name}-0123456789\n")
            (tmp_path / name).chmod(0o600)
        workspace = opened(tmp_path, "retailops: {api_key_file: shared.key}")
        add_vendor(workspace, "acme", vendor="vendor_id: 1\napi_key_file: own.key\n")
        add_vendor(workspace, "bolt", vendor="vendor_id: 2\n")
        acme, bolt = workspace.load_packs()[0]
        assert workspace.api_key(acme, environment=KEY).secret == Secret("own.key-0123456789")
        assert workspace.api_key(bolt, environment=KEY).secret == Secret(KEY["RETAILOPS_API_KEY"])
        assert workspace.api_key(bolt, environment={}).secret.reveal() == "shared.key-0123456789"
        assert workspace.api_key(environment={}).origin == str(tmp_path / "shared.key")

    def test_a_key_is_never_shown(self, workspace: Workspace):
        key = workspace.api_key(environment=KEY)
        shown = f"{key} {key!r} {key.secret} {key.secret!r} {[key.secret]}"
        assert "***" in shown
        assert KEY["RETAILOPS_API_KEY"] not in shown

    @pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
    def test_a_key_that_others_can_write_is_refused(self, tmp_path: Path, mode: int):
        workspace = opened(tmp_path, "retailops: {api_key_file: k}")
        (tmp_path / "k").write_text("abc")
        (tmp_path / "k").chmod(mode)
        with pytest.raises(UserError, match="can be written by other users"):
            workspace.api_key(environment={})

    def test_a_key_that_others_can_read_is_taken_and_said(self, workspace: Workspace):
        (workspace.root / "k").write_text("abc")
        (workspace.root / "k").chmod(0o644)
        add_vendor(workspace, "bolt", vendor="vendor_id: 2\napi_key_file: k\n")
        key = workspace.api_key(workspace.load_pack("bolt"), environment={})
        assert key.secret == Secret("abc")
        assert [notice.message for notice in key.notices] == [
            "every user of this machine can read the API key"
        ]
        assert list(key.notices) == notices_of(workspace, environment=KEY)

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"", "is empty"),
            (b" \n", "is empty"),
            (b"two words", "something else than an API key"),
            (b"a\nb", "something else than an API key"),
            ("schlüssel".encode(), "something else than an API key"),
            (b"\xff\xfe", "holds no text"),
            (b"x" * 501, "something else than an API key"),
        ],
    )
    def test_what_is_no_key_is_refused_without_showing_it(self, tmp_path: Path, content: bytes, words: str):
        workspace = opened(tmp_path, "retailops: {api_key_file: k}")
        (tmp_path / "k").write_bytes(content)
        (tmp_path / "k").chmod(0o600)
        with pytest.raises(UserError, match=words) as caught:
            workspace.api_key(environment={})
        assert "two words" not in str(caught.value)

    def test_no_key_and_no_file_are_said(self, tmp_path: Path):
        with pytest.raises(UserError, match="there is no RetailOps API key"):
            opened(tmp_path).api_key(environment={})
        with pytest.raises(UserError, match="cannot be read: No such file or directory"):
            opened(tmp_path, "retailops: {api_key_file: k}").api_key(environment={})


class TestLock:
    def test_a_second_holder_in_another_process_is_told_who_holds_it(self, workspace: Workspace):
        script = (
            "import sys\nfrom datetime import UTC, datetime\nfrom pathlib import Path\n"
            "from filebridge.errors import WorkspaceBusy\nfrom filebridge.workspace import Workspace\n"
            "workspace = Workspace.open(Path(sys.argv[1]), environment={})\n"
            "try:\n    with workspace.lock(now=datetime.now(UTC)):\n        print('held')\n"
            "except WorkspaceBusy as error:\n    print(error)\n    sys.exit(error.exit_code)\n"
        )
        command = [sys.executable, "-c", script, str(workspace.root)]
        with workspace.lock(now=NOW):
            beside = subprocess.run(command, capture_output=True, text=True, check=False, cwd=PROJECT)
        assert beside.returncode == 4, beside.stderr
        assert f"another FileBridge (process {os.getpid()}, since 2026-11-24T02:00:00+00:00)" in beside.stdout
        after = subprocess.run(command, capture_output=True, text=True, check=False, cwd=PROJECT)
        assert after.stdout == "held\n"

    def test_a_killed_holder_leaves_nothing_to_repair(self, workspace: Workspace):
        script = (
            "import os, sys\nfrom datetime import UTC, datetime\nfrom pathlib import Path\n"
            "from filebridge.workspace import Workspace\n"
            "with Workspace.open(Path(sys.argv[1]), environment={}).lock(now=datetime.now(UTC)):\n"
            "    os.kill(os.getpid(), 9)\n"
        )
        subprocess.run([sys.executable, "-c", script, str(workspace.root)], check=False, cwd=PROJECT)
        assert (workspace.state / "lock.holder").exists()
        with workspace.lock(now=NOW):
            pass
        assert not (workspace.state / "lock.holder").exists()

    def test_trying_tells_instead_of_raising(self, workspace: Workspace):
        with workspace.try_lock(now=NOW) as first, workspace.try_lock(now=NOW) as second:
            assert (first, second) == (True, False)
            with pytest.raises(WorkspaceBusy), workspace.lock(now=NOW):
                pass
        with workspace.try_lock(now=NOW) as again:
            assert again

    def test_an_error_inside_lets_go(self, workspace: Workspace):
        with pytest.raises(ValueError, match="inside"), workspace.lock(now=NOW):
            raise ValueError("inside")
        with workspace.lock(now=NOW):
            pass


class TestChecks:
    def test_a_workspace_without_vendors_is_said(self, tmp_path: Path):
        (found,) = problems_of(opened(tmp_path), environment=KEY)
        assert (found.place, found.message) == ("mappings/", "it holds no vendor's folder")

    def test_a_missing_key_is_said_once(self, workspace: Workspace):
        add_vendor(workspace, "bolt", vendor="vendor_id: 9\n")
        found = problems_of(workspace, environment={})
        assert [(problem.place, problem.message) for problem in found] == [
            ("API key", "there is no RetailOps API key")
        ]

    def test_a_po_column_that_no_po_has_is_told_with_the_nearest_field(self, workspace: Workspace):
        add_vendor(
            workspace,
            "bolt",
            vendor="vendor_id: 9\n",
            orders="document: purchase-orders\n"
            "columns:\n  A: po\n  B: ship_address.zip\n  C: postal_code\n  D: quantiy\n  E: {value: x}\n"
            "  F: {field: items}\n",
        )
        found = problems_of(workspace, environment=KEY)
        assert [(problem.place, problem.message, problem.fix) for problem in found][1:3] == [
            (
                "mappings/bolt/orders.yaml:5",
                "column `C`: a PO has no field `postal_code`",
                "Did you mean `ship_address.postal_code`?",
            ),
            (
                "mappings/bolt/orders.yaml:6",
                "column `D`: a PO has no field `quantiy`",
                "Did you mean `quantity`?",
            ),
        ]
        assert len(found) == 4

    def test_a_field_of_an_item_may_be_written_as_such(self, workspace: Workspace):
        layout = "document: purchase-orders\ncolumns: {A: po, B: items.vpc, C: items.quantiy}\n"
        add_vendor(workspace, "bolt", vendor="vendor_id: 9\n", orders=layout)
        (found,) = problems_of(workspace, environment=KEY)
        assert found.message == "column `C`: a PO has no field `items.quantiy`"

    def test_a_header_that_needs_quotes_and_may_have_none_is_told(self, workspace: Workspace):
        layout = (
            "document: purchase-orders\n"
            "write: {quoting: none, delimiter: ';'}\n"
            'columns:\n  "PO; ours": po\n  A,B: vpc\n  C: {value: "x;y"}\n'
        )
        add_vendor(workspace, "bolt", vendor="vendor_id: 9\n", orders=layout)
        found = [(problem.place, problem.message) for problem in problems_of(workspace, environment=KEY)]
        why = "holds the delimiter or a line break, and `quoting: none` has no quotes"
        assert found == [
            ("mappings/bolt/orders.yaml:4", f"the header `PO; ours` {why}"),
            ("mappings/bolt/orders.yaml:6", f"the value `x;y` {why}"),
        ]

    def test_two_packs_that_export_the_pos_of_one_vendor_are_told(self, workspace: Workspace):
        layout = "document: purchase-orders\ncolumns: {A: po}\n"
        add_vendor(workspace, "bolt", vendor="vendor_id: 27\n", orders=layout)
        (found,) = problems_of(workspace, environment=KEY)
        assert found.place == "mappings/bolt/orders.yaml"
        assert "so does mappings/acme/purchase-orders.yaml" in found.message

    def test_open_rights_are_told_with_the_command_that_closes_them(self, workspace: Workspace):
        workspace.state.chmod(0o755)
        workspace.inbox_of("acme").chmod(0o777)
        (workspace.mappings / "acme" / "inventory.yaml").chmod(0o666)
        found = problems_of(workspace, environment=KEY)
        assert [problem.fix.partition(",")[0] for problem in found] == [
            f"chmod 700 {workspace.state}",
            f"chmod o-w {workspace.inbox_of('acme')}",
            f"chmod o-w {workspace.mappings}/acme/inventory.yaml",
        ]

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_a_folder_without_rights_is_told(self, workspace: Workspace):
        workspace.outbox.chmod(0o555)
        workspace.orders_of("acme").chmod(0o555)
        try:
            found = problems_of(workspace, environment=KEY)
        finally:
            workspace.outbox.chmod(0o755)
            workspace.orders_of("acme").chmod(0o755)
        assert [problem.message for problem in found] == ["FileBridge may not read and write here"]

    def test_a_file_in_the_place_of_a_folder_is_told(self, workspace: Workspace):
        workspace.inbox_of("acme").rmdir()
        workspace.inbox_of("acme").write_text("x")
        (found,) = problems_of(workspace, environment=KEY)
        assert found.message == "this is a file, and a folder is needed"

    def test_folders_within_each_other_are_told(self, workspace: Workspace):
        (workspace.root / "filebridge.yaml").write_text("folders: {inbox: shared, outbox: shared/out}\n")
        (found,) = problems_of(Workspace.open(workspace.root, environment={}), environment=KEY)
        assert found.place == "folders.outbox"

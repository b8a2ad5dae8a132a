from __future__ import annotations

import random
import re
import time
from typing import Any

import pytest

from filebridge.errors import UserError
from filebridge.ledger import files
from filebridge.ledger.connect import Ledger
from filebridge.ledger.schema import CallState, FileState
from filebridge.outcomes import FileStatus, Outcome
from filebridge.planning.known import FIRST_FILE
from filebridge.planning.plan import Hold, Plan
from filebridge.rejects import Note


def test_a_file_id_reads_as_neither_number_nor_date_nor_word() -> None:
    source = random.Random(3)
    ids = {files.new_file_id(source) for _ in range(5000)}
    assert len(ids) == 5000
    for file_id in ids:
        assert re.fullmatch("f[bcdfghjkmnpqrstvwxyz][bcdfghjkmnpqrstvwxyz2-9]{8}", file_id)
        with pytest.raises(ValueError, match="could not convert"):
            float(file_id)


class TestAClaim:
    def test_is_found_again_as_it_was_written(self, office: Any) -> None:
        file_id = office.claim(
            "nord/Bestand\N{LATIN SMALL LETTER A WITH DIAERESIS}.csv", name_bytes=b"nord/Bestand\xe4.csv"
        )
        row = office.row(file_id)
        assert (row.seq, row.vendor, row.name_bytes) == (1, "acme", b"nord/Bestand\xe4.csv")
        assert (row.state, row.status, row.how, row.headers) == (FileState.CLAIMED, None, None, ())

    def test_keeps_the_note_of_its_arrival_through_every_plan(self, office: Any, runs: Any) -> None:
        note = Note("order", "Taken by its modification time.")
        claim = files.ClaimRow("fbcd234567", "acme", "a.csv", b"a.csv", "0" * 64, 1, 1, 1)
        with office.ledger.begin() as connection:
            files.record_claim(connection, claim, note=note)
        for message in ("first", "second"):
            told = Note("header_changed", message)
            office.plan(Plan((), runs([Outcome.UNCHANGED]), notes=(told,)), file_id=claim.id)
            assert office.row(claim.id).notes == (note, told)

    def test_is_moved_on_once(self, office: Any) -> None:
        file_id = office.claim()
        for expected in (True, False):
            with office.ledger.begin() as connection:
                moved = files.set_state(connection, file_id, [FileState.CLAIMED], FileState.TAKEN)
            assert moved is expected
        assert office.row(file_id).state is FileState.TAKEN

    def test_counts_its_reads_so_that_a_file_which_kills_its_reader_is_known(self, office: Any) -> None:
        file_id = office.claim()
        for expected in (1, 2):
            with office.ledger.begin() as connection:
                assert files.count_read(connection, file_id) == expected

    def test_remembers_its_reject_file_and_its_place_in_the_archive(self, office: Any) -> None:
        file_id = office.claim()
        with office.ledger.begin() as connection:
            files.set_reject_file(connection, file_id, "stock.rejects.csv")
            files.set_archived(connection, file_id, "acme/2026-11-24/" + file_id)
        row = office.row(file_id)
        assert (row.reject_file, row.archived_at) == ("stock.rejects.csv", f"acme/2026-11-24/{file_id}")

    def test_of_an_unknown_id_is_no_file(self, ledger: Ledger) -> None:
        with ledger.read() as connection, pytest.raises(KeyError):
            files.file_row(connection, "fzzzzzzzzz")


class TestFindingAFile:
    def test_takes_the_beginning_of_an_id(self, office: Any) -> None:
        office.claim(id="fbcd234567")
        office.claim(id="fbck234567", name="other.csv")
        with office.ledger.read() as connection:
            assert files.find_file(connection, " FBCD").id == "fbcd234567"
            with pytest.raises(
                UserError, match=r"begins with fbc: fbcd234567 \(stock.csv\), fbck234567 \(other"
            ):
                files.find_file(connection, "fbc")

    def test_names_the_latest_files_where_there_is_none_of_that_id(self, office: Any) -> None:
        with office.ledger.read() as connection, pytest.raises(UserError, match="No file has come in yet"):
            files.find_file(connection, "fxyz")
        office.claim(id="fbcd234567")
        for unknown in ("fxyz", "", "f%"):
            with office.ledger.read() as connection, pytest.raises(UserError, match="latest are fbcd234567"):
                files.find_file(connection, unknown)


class TestListingFiles:
    def test_tells_the_newest_first_that_fit_all_that_is_asked(self, office: Any, runs: Any) -> None:
        first, second = office.claim("a.csv"), office.claim("B_stock.csv", received_at=5_000)
        office.claim("c.csv", vendor="zenith")
        office.plan(Plan((), runs([Outcome.UNCHANGED])), file_id=first)
        with office.ledger.read() as connection:

            def ids(**asked: Any) -> list[str]:
                return [row.id for row in files.files(connection, **asked)]

            assert ids(vendor="acme") == [second, first]
            assert ids(name="b_") == [second]
            assert ids(since=2_000) == [second]
            assert ids(statuses=[FileStatus.ACCEPTED]) == [first]
            assert ids(document="inventory") == [first]
            assert len(ids(limit=2)) == 2

    def test_takes_a_moment_with_ten_thousand_of_them(self, ledger: Ledger) -> None:
        from filebridge.ledger.connect import insert_many
        from filebridge.ledger.schema import file

        columns = (
            "id",
            "vendor",
            "name",
            "name_bytes",
            "sha256",
            "size",
            "modified_at",
            "received_at",
            "state",
        )
        with ledger.begin() as connection:
            insert_many(
                connection,
                file,
                columns,
                ((f"f{n}", "acme", "a.csv", b"a.csv", "0" * 64, 1, 1, n, "done") for n in range(10_000)),
            )
        with ledger.read() as connection:
            start = time.process_time()
            found = files.files(connection, vendor="acme", name="a.c", limit=10_000)
            assert time.process_time() - start < 2.0  # measured 0.15; what runs beside it does not count
        assert (len(found), found[0].id) == (10_000, "f9999")

    def test_of_those_that_something_is_owed_to_keeps_the_order_of_arrival(
        self, office: Any, runs: Any
    ) -> None:
        done, taken, planned = office.claim(), office.claim(), office.claim()
        office.claim(vendor="zenith")
        office.plan(Plan((), runs([Outcome.UNCHANGED])), file_id=planned)
        with office.ledger.begin() as connection:
            files.set_state(connection, done, [FileState.CLAIMED], FileState.DONE)
            assert [row.id for row in files.unsettled_files(connection, "acme")] == [taken, planned]


class TestWhatIsKnownOfAFeed:
    def test_is_nothing_before_its_first_file(self, ledger: Ledger) -> None:
        with ledger.read() as connection:
            assert files.known_feed(connection, "acme", "inventory", 1) == FIRST_FILE

    def test_counts_only_files_that_were_applied(self, office: Any, runs: Any, one_call: Any) -> None:
        def settled(plan: Plan, state: CallState = CallState.CONFIRMED, **more: Any) -> str:
            file_id: str = office.plan(plan, **more)
            office.deliver(file_id, state)
            office.settle(file_id)
            return file_id

        applied = settled(one_call(3))
        settled(Plan((), runs([Outcome.HELD] * 2), hold=Hold("guard", "Too few rows.")))
        settled(one_call(2), CallState.REFUSED)
        settled(Plan((), runs([Outcome.UNCHANGED]), duplicate_of=applied))
        settled(one_call(1), corrects=applied)
        settled(one_call(5), feed="another")
        office.plan(one_call(4))
        with office.ledger.read() as connection:
            known = files.known_feed(connection, "acme", "inventory", 100)
            earlier = files.known_feed(connection, "acme", "inventory", 1)
        assert (known.applied_files, known.last_id, known.last_rows) == (1, applied, 3)
        assert (known.last_sha256, known.headers) == ("0" * 64, ("SKU", "Qty"))
        assert earlier == FIRST_FILE

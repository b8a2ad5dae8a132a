"""What answers mean. Each case carries its certainty: documented, seen, inferred or assumed."""

import pytest

from filebridge.planning.plan import Action
from filebridge.retailops.wire import AnswerKind, Verdict, decipher, match_verdicts

JSON = {"content-type": "application/json"}

CASES = [
    ("documented: success", 200, b'{"success":1}', AnswerKind.CONFIRMED),
    ("inferred: success as text", 200, b'{"success":"1"}', AnswerKind.CONFIRMED),
    ("inferred: success as a boolean", 200, b'{"success":true}', AnswerKind.CONFIRMED),
    ("seen: ERRORCODE is the text null", 200, b'{"success":1,"ERRORCODE":"null"}', AnswerKind.CONFIRMED),
    ("assumed: ERROR is null", 200, b'{"success":1,"ERROR":null,"ERRORCODE":null}', AnswerKind.CONFIRMED),
    ("assumed: a byte order mark", 200, b'\xef\xbb\xbf{"success":1}', AnswerKind.CONFIRMED),
    ("assumed: another 2xx", 202, b'{"success":1}', AnswerKind.CONFIRMED),
    ("seen: ERROR with 200", 200, b'{"ERROR":"invalid sku","ERRORCODE":"general"}', AnswerKind.REFUSED),
    ("assumed: ERROR beside success", 200, b'{"success":1,"ERROR":"invalid sku"}', AnswerKind.REFUSED),
    ("seen: ERRORCODE alone", 200, b'{"success":1,"ERRORCODE":"general"}', AnswerKind.REFUSED),
    ("assumed: ERROR with 4xx", 422, b'{"ERROR":"for field idx 3: invalid vpc"}', AnswerKind.REFUSED),
    ("seen: not logged in", 200, b'{"ERROR":"bad key","ERRORCODE":"authn"}', AnswerKind.KEY_REFUSED),
    ("seen: access denied", 500, b'{"ERROR":"access denied","ERRORCODE":"authz"}', AnswerKind.KEY_REFUSED),
    ("assumed: 401 without a body", 401, b"", AnswerKind.KEY_REFUSED),
    ("assumed: 403 with a page", 403, b"<html>", AnswerKind.KEY_REFUSED),
    ("assumed: too many requests", 429, b"slow down", AnswerKind.NOT_APPLIED),
    (
        "seen: dispatcher_shutdown",
        200,
        b'{"ERROR":"x","ERRORCODE":"dispatcher_shutdown"}',
        AnswerKind.NOT_APPLIED,
    ),
    ("seen: no such action", 404, b'{"ERROR":"Action Vendor.PO.X not found"}', AnswerKind.NOT_APPLIED),
    (
        "seen: lost behind the edge",
        200,
        b'{"ERROR":"timed out","ERRORCODE":"transport"}',
        AnswerKind.UNCERTAIN,
    ),
    ("assumed: 5xx with ERROR", 500, b'{"ERROR":"boom"}', AnswerKind.UNCERTAIN),
    ("assumed: 5xx with success", 502, b'{"success":1}', AnswerKind.UNCERTAIN),
    ("assumed: 4xx without JSON", 404, b"not found", AnswerKind.UNCERTAIN),
    ("assumed: success 0 without a word", 200, b'{"success":0}', AnswerKind.UNCERTAIN),
    ("assumed: no success", 200, b'{"records":[]}', AnswerKind.UNCERTAIN),
    ("assumed: success of a wrong type", 200, b'{"success":[1],"records":"none"}', AnswerKind.UNCERTAIN),
    ("assumed: an array", 200, b"[1]", AnswerKind.UNCERTAIN),
    ("assumed: empty", 200, b"", AnswerKind.UNCERTAIN),
    ("assumed: cut off", 200, b'{"success":1,', AnswerKind.UNCERTAIN),
    ("assumed: HTML with 200", 200, b"<!DOCTYPE html><title>Maintenance</title>", AnswerKind.UNCERTAIN),
    ("assumed: a name given twice", 200, b'{"success":0,"success":1}', AnswerKind.UNCERTAIN),
    ("assumed: NaN", 200, b'{"success":1,"cost":NaN}', AnswerKind.UNCERTAIN),
    ("assumed: beyond a double", 200, b'{"success":1,"cost":1e999}', AnswerKind.UNCERTAIN),
    ("assumed: 65 levels", 200, b'{"success":1,"x":' + b"[" * 64 + b"]" * 64 + b"}", AnswerKind.UNCERTAIN),
    ("assumed: far too deep", 200, b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", AnswerKind.UNCERTAIN),
    ("assumed: not UTF-8", 200, b'{"success":1,"x":"\xff"}', AnswerKind.UNCERTAIN),
    ("assumed: redirect", 307, b"", AnswerKind.UNCERTAIN),
    ("assumed: redirect that claims success", 302, b'{"success":1}', AnswerKind.UNCERTAIN),
]


@pytest.mark.parametrize(
    ("status", "body", "kind"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_an_answer_is_one_of_five(status, body, kind):
    answer = decipher(status, JSON, body, Action.UPDATE)
    assert answer.kind is kind
    assert answer.status == status
    assert bool(answer.message) is (kind is not AnswerKind.CONFIRMED)


def test_a_level_below_the_limit_is_read():
    body = b'{"success":1,"x":' + b"[" * 63 + b"]" * 63 + b"}"
    assert decipher(200, JSON, body, Action.UPDATE).kind is AnswerKind.CONFIRMED


def test_a_refusal_keeps_retailops_own_words_on_one_line_and_as_unicode():
    body = b'{"ERROR":"invalid\\n sku \\ud800","ERRORCODE":"general"}'
    answer = decipher(200, JSON, body, Action.UPDATE)
    assert answer.message == "invalid sku ? (general)"
    assert decipher(200, JSON, b'{"ERROR":{"vpc":"A"}}', Action.UPDATE).message == '{"vpc":"A"}'


def test_a_redirect_stops_the_channel_and_says_where_to():
    answer = decipher(302, {"location": "https://login.example.com/in?next=1"}, b"", Action.UPDATE)
    assert answer.stops
    assert "login.example.com (HTTP status 302), which is never followed" in answer.message


def test_an_unknown_action_is_a_fault_of_the_configuration_and_of_no_row():
    answer = decipher(200, JSON, b'{"ERROR":"Action product.externalsku.update not found"}', Action.UPDATE)
    assert (answer.kind, answer.stops) == (AnswerKind.NOT_APPLIED, True)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        (
            {"retry-after": "Tue, 24 Nov 2026 10:00:30 GMT", "date": "Tue, 24 Nov 2026 10:00:00 GMT"},
            30.0,
        ),
        ({"retry-after": "Tue, 24 Nov 2026 10:00:30 GMT"}, None),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date_against_the_answers_own(headers, seconds):
    assert decipher(429, headers, b"").retry_after == seconds
    assert decipher(503, headers, b"").retry_after == seconds


@pytest.mark.parametrize(
    ("text", "already"),
    [
        ("for field idx 0: PO D1 status: submitted, ineligible for this action", True),
        ("PO D1 has status Accepted", True),
        ("status 'complete'", True),
        ("PO D1 was already submitted", True),
        ("PO D1 status: canceled, ineligible for this action", False),
        ("PO D1 items do not match", False),
    ],
)
def test_a_refusal_of_a_mark_may_say_that_it_is_so_already(text, already):
    body = b'{"ERROR":"' + text.encode() + b'"}'
    assert decipher(200, JSON, body, Action.MARK_SUBMITTED).says_already is already
    assert not decipher(200, JSON, body, Action.UPDATE).says_already


@pytest.mark.parametrize(
    ("text", "accepted", "complete"),
    [
        ("for field idx 0: PO D1 status: accepted, ineligible for this action", True, False),
        ("PO D1 status: receiving, ineligible for this action", True, False),
        ("PO D1 status: complete, ineligible for this action", True, True),
        ("PO D1 was already completed", True, True),
        ("PO D1 has already been marked as accepted", True, False),
        ("PO D1 status: submitted, ineligible for this action", False, False),
        ("PO D1 status: incomplete", False, False),
        ("PO D1 status: canceled, ineligible for this action", False, False),
        ("PO D1 was already canceled", False, False),
        ("the packages are not complete", False, False),
    ],
)
def test_only_words_that_say_so_mean_that_a_po_is_accepted_or_complete_already(text, accepted, complete):
    body = b'{"ERROR":"' + text.encode() + b'","ERRORCODE":"general"}'
    assert decipher(200, JSON, body, Action.MARK_ACCEPTED).says_already is accepted
    assert decipher(200, JSON, body, Action.COMPLETE).says_already is complete
    assert not decipher(200, JSON, body, Action.UPDATE_EST_SHIP_DATE).says_already


def test_two_records_of_one_po_are_told_apart_by_their_places_alone():
    def of(*entries):
        body = b'{"success":1,"records":[' + b",".join(entries) + b"]}"
        return decipher(200, JSON, body, Action.UPDATE_EST_SHIP_DATE)

    good, bad, other = b'{"po":"D1","success":1}', b'{"po":"D1","ERROR":"x"}', b'{"po":"D2","success":1}'
    keys = ["D1", "D2", "D1"]
    assert [v.confirmed for v in match_verdicts(of(good, other, bad), keys)] == [True, True, False]
    assert match_verdicts(of(good, bad, other), keys) is None
    assert match_verdicts(of(bad), keys) is None
    assert match_verdicts(of(bad, other), keys) is None


def test_evidence_for_each_record_is_read_and_one_refused_record_refuses_the_call():
    body = (
        b'{"success":1,"records":[{"vpc":"A","success":1},{"vpc":7,"success":"1"},'
        b'{"vpc":"C","success":0,"ERROR":"invalid vpc"},{"vpc":"D","success":0}]}'
    )
    answer = decipher(200, JSON, body, Action.UPDATE)
    assert (answer.kind, answer.message) == (AnswerKind.REFUSED, "invalid vpc")
    assert answer.records == (
        Verdict("A", True),
        Verdict("7", True),
        Verdict("C", False, "invalid vpc"),
        Verdict("D", False, "RetailOps refused this record and gave no reason"),
    )


def test_records_of_another_shape_prove_nothing():
    answer = decipher(
        200, JSON, b'{"success":1,"records":[{"vpc":"A","success":1},{"vpc":"B"}]}', Action.UPDATE
    )
    assert (answer.kind, answer.records) == (AnswerKind.CONFIRMED, ())


def read(*entries):
    body = b'{"success":1,"records":[' + b",".join(entries) + b"]}"
    return decipher(200, JSON, body, Action.UPDATE)


def test_verdicts_are_matched_by_place_where_all_are_there_and_by_key_where_not():
    good, bad = b'{"vpc":"A","success":1}', b'{"vpc":"B","ERROR":"x"}'
    assert [v.confirmed for v in match_verdicts(read(good, bad), ["A", "B"])] == [True, False]
    assert [v.confirmed for v in match_verdicts(read(b'{"success":1}', b'{"success":0}'), ["A", "B"])] == [
        True,
        False,
    ]
    assert [v and v.confirmed for v in match_verdicts(read(bad), ["A", "B"])] == [None, False]
    assert [v.confirmed for v in match_verdicts(read(bad, good), ["A", "B"])] == [True, False]


def test_verdicts_that_cannot_be_told_apart_are_not_used():
    bad = b'{"vpc":"B","ERROR":"x"}'
    assert match_verdicts(read(bad), ["A", "C"]) is None
    assert match_verdicts(read(b'{"ERROR":"x"}'), ["A", "B"]) is None
    assert match_verdicts(read(bad, bad), ["A", "B"]) is None
    assert match_verdicts(decipher(200, JSON, b'{"success":1}', Action.UPDATE), ["A"]) is None

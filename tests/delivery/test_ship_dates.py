"""The newest ship date of each item, folded from confirmed records."""

from hypothesis import given, settings
from hypothesis import strategies as st

from filebridge.clock import SECOND
from filebridge.delivery.dates import Promise, Said, fold_dates, overtaken, restated
from filebridge.retailops.wire import ship_date_record


def record(po, seconds, *units):
    return ship_date_record(po, seconds * SECOND, units)


def test_what_a_newer_file_says_of_an_item_replaces_all_that_older_ones_said_of_it():
    newest = fold_dates(
        [
            ((1, 1), [record("D1", 10, (456, 2), (457, 1)), record("D2", 10, ("A7", 1))]),
            ((2, 2), [record("D1", 20, (456, 1)), record("D1", 30, (456, 1))]),
        ]
    )
    assert newest == {
        ("D1", "456"): Said((2, 2), (Promise(456, 1, 20 * SECOND), Promise(456, 1, 30 * SECOND))),
        ("D1", "457"): Said((1, 1), (Promise(457, 1, 10 * SECOND),)),
        ("D2", "A7"): Said((1, 1), (Promise("A7", 1, 10 * SECOND),)),
    }


def test_an_id_is_the_same_as_number_and_as_text():
    newest = fold_dates([((1, 1), [record("D1", 10, (456, 1))]), ((1, 2), [record("D1", 20, ("456", 1))])])
    assert list(newest) == [("D1", "456")]
    assert newest["D1", "456"].promises == (Promise("456", 1, 20 * SECOND),)


def test_a_record_is_overtaken_item_by_item():
    newest = fold_dates([((5, 3), [record("D1", 10, (456, 1))])])
    whole = record("D1", 1, (456, 1), (457, 1))
    assert overtaken(whole, (5, 2), newest) == (1, 1)
    assert overtaken(whole, (5, 3), newest) == (0, 2)
    assert overtaken(record("D1", 1, (456, 1)), (4, 9), newest) == (1, 0)


def test_dates_are_restated_in_one_record_per_po_and_date():
    newest = fold_dates(
        [
            ((1, 1), [record("D2", 10, (1, 1)), record("D1", 10, (456, 2), (457, 1), (458, 1))]),
            ((2, 2), [record("D1", 20, (456, 2))]),
        ]
    )
    wanted = [("D1", "456"), ("D1", "457"), ("D1", "458"), ("D9", "1")]
    assert restated(wanted, newest) == [
        ("D1", record("D1", 10, (457, 1), (458, 1))),
        ("D1", record("D1", 20, (456, 2))),
    ]


orders = st.tuples(st.integers(1, 3), st.integers(1, 3))
sayings = st.lists(
    st.tuples(
        orders,
        st.lists(
            st.tuples(st.sampled_from(["D1", "D2"]), st.integers(1, 9), st.integers(1, 3)).map(
                lambda said: record(said[0], said[1], (said[2], 1))
            ),
            min_size=1,
            max_size=3,
        ),
    ),
    max_size=6,
)


@settings(deadline=None)
@given(sayings, st.randoms())
def test_the_order_in_which_calls_are_folded_does_not_matter(confirmed, random):
    shuffled = list(confirmed)
    random.shuffle(shuffled)

    def plain(newest):
        return {item: (said.order, set(said.promises)) for item, said in newest.items()}

    assert plain(fold_dates(shuffled)) == plain(fold_dates(confirmed))


@settings(deadline=None)
@given(sayings)
def test_what_is_restated_says_what_is_newest(confirmed):
    newest = fold_dates(confirmed)
    again = fold_dates([((9, 9), [text for _, text in restated(newest, newest)])])
    assert {item: set(said.promises) for item, said in again.items()} == {
        item: set(said.promises) for item, said in newest.items()
    }

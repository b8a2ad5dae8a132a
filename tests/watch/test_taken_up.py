"""What a running watch takes up without being started again, and how it treats a channel in trouble."""

from __future__ import annotations

from typing import Any

from filebridge.bridge.rests import Rests
from filebridge.sandbox import DEFAULT_KEY

UPDATE = "Product.ExternalSku.update"


def test_a_corrected_key_is_used_at_once_and_nothing_is_lost(trade: Any, until: Any) -> None:
    trade.key("wrong-key")
    with trade.watching():
        trade.drop("stock.csv")
        until(lambda: "refused the API key" in trade.troubles.get("acme", ""))
        assert trade.status_of("stock.csv") == "pending"
        trade.key(DEFAULT_KEY)
        until(lambda: trade.is_done("stock.csv"), seconds=10)
        until(lambda: "acme" not in trade.troubles)


def test_a_broken_key_file_leaves_the_key_before_it_in_use_and_is_said(trade: Any, until: Any) -> None:
    with trade.watching():
        trade.drop("stock-1.csv")
        until(lambda: trade.is_done("stock-1.csv"))
        trade.key("two words")
        until(lambda: "holds something else than an API key" in trade.problems)
        assert "The key from before stays in use" in trade.problems
        trade.drop("stock-2.csv", quantity=6)
        until(lambda: trade.is_done("stock-2.csv"))
        trade.key(DEFAULT_KEY)
        until(lambda: not trade.reports[-1].problems)


def test_another_address_of_retailops_is_taken_up(trade: Any, until: Any) -> None:
    trade.settings(url="http://127.0.0.1:9")
    with trade.watching():
        trade.drop("stock.csv")
        until(lambda: trade.status_of("stock.csv") == "pending")
        trade.settings()
        until(lambda: trade.is_done("stock.csv"), seconds=10)


def test_broken_settings_leave_those_before_them_in_force_and_are_said(trade: Any, until: Any) -> None:
    with trade.watching():
        until(lambda: trade.reports)
        trade.write("filebridge.yaml", "retailops: {adress: x}\n")
        until(lambda: "adress" in trade.problems)
        assert "the settings from before stay in force" in trade.problems
        trade.drop("stock.csv")
        until(lambda: trade.is_done("stock.csv"))


def test_folders_are_not_moved_under_a_running_watch(trade: Any, until: Any) -> None:
    with trade.watching():
        until(lambda: trade.reports)
        text = (trade.root / "filebridge.yaml").read_text(encoding="utf-8")
        trade.write("filebridge.yaml", f"{text}folders: {{outbox: elsewhere}}\n")
        until(lambda: "keeps those that it began with" in trade.problems)
        trade.drop("stock.csv")
        until(lambda: trade.is_done("stock.csv"))
    assert not (trade.root / "elsewhere").exists()


def test_a_new_vendor_gets_its_folders_and_is_watched(trade: Any, until: Any) -> None:
    trade.settings(scan="20s")
    with trade.watching():
        until(lambda: trade.reports)
        trade.vendor("nova", 29)
        # Its pack is seen with the next look, which any event gives.
        trade.drop("stock.csv")
        until((trade.root / "inbox" / "nova").is_dir)
        until(lambda: trade.is_done("stock.csv"))
        trade.drop("stock.csv", vendor="nova")
        until(lambda: trade.is_done("stock.csv", vendor="nova"), seconds=10)


def test_an_edited_mapping_is_taken_up_and_a_broken_one_leaves_the_last_good_one(
    trade: Any, until: Any
) -> None:
    path = "mappings/acme/inventory.yaml"
    good = (trade.root / path).read_text(encoding="utf-8")
    with trade.watching():
        until(lambda: trade.reports)
        trade.write(path, good.replace("Qty", "[Qty"))
        until(lambda: path in trade.problems)
        trade.drop("stock-1.csv")
        until(lambda: trade.is_done("stock-1.csv"))
        trade.write(path, good.replace("SKU", "Item"))
        until(lambda: not trade.reports[-1].problems)
        trade.write("inbox/acme/stock-2.csv", "Item,Qty\nA-1,7\n")
        until(lambda: trade.is_done("stock-2.csv"))


def test_a_channel_in_trouble_is_not_called_at_each_look(trade: Any, until: Any) -> None:
    trade.sandbox.faults.add(kind="authn", action=UPDATE, times=0)
    with trade.watching():
        trade.drop("stock.csv")
        until(lambda: trade.status_of("stock.csv") == "pending")
        begun = len(trade.reports)
        # Twelve looks; the pauses between the tries are 0.2, 0.4, 0.8, 1.6 s.
        until(lambda: len(trade.reports) >= begun + 12)
        tries = len(trade.calls())
        assert tries <= 6
        # The others are served as ever, and the trouble stays said.
        trade.sandbox.faults.clear()
        trade.drop("stock.csv", vendor="zeta")
        until(lambda: trade.is_done("stock.csv", vendor="zeta"))
        until(lambda: trade.is_done("stock.csv"))


def test_a_file_that_comes_while_the_channel_rests_is_taken_and_answered(trade: Any, until: Any) -> None:
    trade.settings(url="http://127.0.0.1:9", scan="15s")
    with trade.watching():
        trade.drop("stock-1.csv")
        until(lambda: trade.status_of("stock-1.csv") == "pending")
        trade.drop("stock-2.csv")
        until(lambda: trade.status_of("stock-2.csv") == "pending", seconds=10)
        assert trade.troubles.keys() == {"acme"}


def test_rests_grow_to_some_minutes_and_are_over_with_an_answer() -> None:
    rests, now, pauses = Rests(10.0, chance=lambda: 1.0), 0.0, []
    for _ in range(8):
        rests.failed("acme", "no answer", now)
        pause = rests.seconds(now)
        assert pause is not None and rests.resting(now + pause - 0.01) == {"acme": "no answer"}
        pauses.append(pause)
        now += pause
        assert not rests.resting(now)
    assert pauses == [10, 20, 40, 80, 160, 300, 300, 300]
    rests.over("acme")
    assert rests.seconds(now) is None


def test_one_watch_after_another_begins_without_a_rest(trade: Any, until: Any) -> None:
    trade.settings(url="http://127.0.0.1:9", scan="30s")
    with trade.watching():
        trade.drop("stock.csv")
        until(lambda: trade.status_of("stock.csv") == "pending")
    trade.settings(scan="30s")
    with trade.watching():
        until(lambda: trade.is_done("stock.csv"), seconds=10)

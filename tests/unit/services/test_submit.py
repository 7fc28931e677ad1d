"""Rules at work: all that waits is given to programs, in its order, whatever fails on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from emaild.message import InteractionState
from emaild.services import submit
from emaild.services.submit import EVERY, MOST
from emaild.store import Store
from emaild.store.writes import Writing
from tests.clock import ManualClock
from tests.conf_files import ConfFiles
from tests.ruling import ACK, Ruling
from tests.said import Said
from tests.understanding import letter


@pytest.fixture
def ruling(store: Store, conf: ConfFiles, clock: ManualClock) -> Ruling:
    return Ruling(store, conf, clock)


# What needs no service


def test_without_rules_all_that_waits_is_given_to_programs_in_the_order_in_which_it_came(
    ruling: Ruling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submit, "MOST", 3)
    names = ruling.arrive(*(letter() for _ in range(5)))
    assert ruling.job.run() == 0.0, "there may be more"
    assert [entry.id for entry in ruling.given] == names[:3]
    ruling.run()
    assert [entry.id for entry in ruling.given] == names
    assert [entry.number for entry in ruling.given] == [1, 2, 3, 4, 5]
    assert {entry.rule for entry in ruling.given} == {None}
    assert ruling.job.run() == EVERY


def test_a_rule_moves_an_interaction_and_names_itself(ruling: Ruling, said: Said) -> None:
    ruling.rules("[rule-bills]\nif-subject = *bill*\nthen-queue = bills\nthen-state = PENDING\n")
    bill, other = ruling.take(letter("My bill")), ruling.take(letter())
    assert (bill.queue, bill.state, bill.rule) == ("bills", InteractionState.PENDING, "rule-bills")
    assert (other.queue, other.state, other.rule) == ("inbound", InteractionState.NEW, None)
    assert said.one("rule.applied")["interaction"] == bill.id


def test_what_needs_no_service_goes_in_one_commit(
    ruling: Ruling, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ruling.rules("[rule-bills]\nif-subject = *bill*\nthen-queue = bills\n", f"{ACK}if-subject = hello\n")
    ruling.arrive(letter("bill"), letter("other"), letter("bill"))
    commits = counted(monkeypatch)
    ruling.run()
    assert commits == [3]
    ruling.arrive(letter("bill"), letter("hello"), letter("bill"), letter("other"))
    commits.clear()
    ruling.run()
    assert commits == [1, 1, 2], "the order stays"


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many interactions each commit gives to programs."""
    counts: list[int] = []
    commit = Writing.commit

    def counting(self: Writing, *given: object, submissions: list[object], **more: object) -> object:
        counts.append(len(submissions))
        return commit(self, *given, submissions=submissions, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Writing, "commit", counting)
    return counts


def test_the_rules_of_now_count(ruling: Ruling) -> None:
    ruling.rules("[rule-a]\nthen-queue = a\n")
    assert ruling.take(letter()).queue == "a"
    ruling.rules("[rule-b]\nthen-queue = b\n")
    assert ruling.take(letter()).queue == "b"
    ruling.rules()
    assert ruling.take(letter()).queue == "inbound"


def test_while_the_submitter_rests_nothing_is_given(ruling: Ruling) -> None:
    ruling.rules(ACK, processing="enable-inbound-submitter = false")
    ruling.arrive(letter())
    assert ruling.job.run() == EVERY
    assert ruling.given == []
    ruling.rules(ACK)
    ruling.run()
    assert len(ruling.given) == 2


def test_a_rule_may_look_at_the_header(ruling: Ruling) -> None:
    ruling.rules("[rule-list]\nif-header = List-Id: *news*\nthen-queue = news\n")
    assert ruling.take(letter(list_id="<news.shop.example>")).queue == "news"
    assert ruling.take(letter()).queue == "inbound"


# Faults


def test_a_service_that_fails_leaves_the_mail_where_programs_look_and_others_go_on(ruling: Ruling, said: Said) -> None:
    ruling.rules(
        f"{ACK}if-subject = hello\nthen-queue = answered\n",
        "[rule-lost]\nservice = Acknowledge\nSrlId = lost\nthen-queue = answered\n",
    )
    lost, found = ruling.arrive(letter("other"), letter("hello"))
    ruling.run()
    assert (ruling.get(lost).queue, ruling.get(lost).rule, ruling.get(lost).number) == ("inbound", "rule-lost", 1)
    assert (ruling.get(found).queue, len(ruling.out)) == ("answered", 1)
    event = said.one("rule.failed")
    assert (event["level"], event["interaction"]) == ("error", lost)
    assert event["reason"].startswith("there is no standard response lost")


def test_a_fault_of_ours_is_told_with_its_traceback_and_costs_nobody_else_anything(
    ruling: Ruling, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    ruling.rules(f"{ACK}then-queue = answered\n")
    broken, fine = ruling.arrive(letter("broken"), letter("fine"))
    fails_on(monkeypatch, "planned", lambda *given: given[1]["InteractionId"] == broken)
    ruling.run()
    assert (ruling.get(broken).queue, ruling.get(broken).rule, ruling.get(broken).number) == ("inbound", "rule-ack", 1)
    assert ruling.get(fine).queue == "answered"
    event = said.one("rule.broke")
    assert event["interaction"] == broken
    assert "ZeroDivisionError" in event["exception"]
    assert ruling.job.run() == EVERY


def test_a_mail_whose_rule_cannot_be_found_is_given_to_programs_without_one(
    ruling: Ruling, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    ruling.rules("[rule-a]\nthen-queue = a\n")
    broken, fine = ruling.arrive(letter("broken"), letter("fine"))
    fails_on(monkeypatch, "first_fit", lambda *given: given[1].id == broken)
    ruling.run()
    assert (ruling.get(broken).rule, ruling.get(broken).number) == (None, 1)
    assert ruling.get(fine).rule == "rule-a"
    assert said.one("rule.broke")["interaction"] == broken


def fails_on(monkeypatch: pytest.MonkeyPatch, name: str, when: Callable[..., bool]) -> None:
    """A fault of ours for some interactions."""
    sound = getattr(submit, name)

    def failing(*given: object) -> object:
        if when(*given):
            raise ZeroDivisionError
        return sound(*given)

    monkeypatch.setattr(submit, name, failing)


def test_a_mail_that_was_removed_meanwhile_is_nobodys_trouble(
    ruling: Ruling, said: Said, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ruling.rules("[rule-a]\nif-subject = a\nthen-queue = a\n", f"{ACK}if-subject = b\n")
    gone, answered, stays = ruling.arrive(letter("a"), letter("b"), letter("a"))
    found = ruling.store.interactions.unsubmitted(MOST)
    ruling.arrive(letter("a"))
    late = replace(found[0], id="0" * 16), replace(found[1], id="1" * 16), *found[1:]
    with monkeypatch.context() as patch:
        patch.setattr(ruling.store.interactions, "unsubmitted", lambda most: late)
        ruling.job.run()
    ruling.run()
    assert ruling.get(stays).rule == ruling.get(gone).rule == "rule-a"
    assert ruling.get(answered).rule == "rule-ack"
    assert said.one("rule.failed")["interaction"] == "1" * 16
    assert "rule.broke" not in said.names

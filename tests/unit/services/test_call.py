"""Calling services: names, requests that come again, what happens between plan and commit."""

from __future__ import annotations

import pytest

from emaild.errors import Conflict
from emaild.message import InteractionState
from emaild.services.call import PLANS, call, fault_of, planned, rules_for
from emaild.services.documentation import described
from emaild.services.faults import FaultKind, ServiceFault
from emaild.settings.option import options
from emaild.settings.rule import Direction, RuleSection
from emaild.settings.service_parameters import parameters_of, service_named
from emaild.settings.services import SERVICES
from emaild.store import Store
from emaild.store.writes import Change, Gone, Writes
from tests.clock import START
from tests.reading import settings
from tests.said import Said
from tests.samples import in_outbox
from tests.unit.services.bureau import LATER, Bureau

REQUEST = ("key-1", "digest-1")


@pytest.fixture
def bureau(store: Store) -> Bureau:
    return Bureau(store)


def test_every_service_that_is_declared_is_there() -> None:
    assert set(PLANS) == set(SERVICES)


def test_a_service_goes_by_any_of_its_names(bureau: Bureau) -> None:
    assert bureau.call("create-acknowledgement", bureau.comes(), Text="Hi")["method"] == "Acknowledge"
    fault = bureau.fault("Acknowlege")
    assert fault.kind is FaultKind.UNKNOWN_METHOD
    assert "did you mean Acknowledge?" in str(fault)


def test_a_wrong_parameter_is_named(bureau: Bureau) -> None:
    fault = bureau.fault("Acknowledge", bureau.comes(), Text="Hi", Quue="a")
    assert (fault.kind, fault.parameter) == (FaultKind.WRONG_PARAMETER, "Quue")
    assert "did you mean Queue?" in str(fault)
    assert bureau.fault("Acknowledge", Text="Hi").parameter == "InteractionId"
    many = bureau.fault("Acknowledge", **{f"X{number}": "" for number in range(501)})
    assert "501 parameters" in str(many)


@pytest.mark.parametrize("name", ["0" * 16, "x", "' OR 1=1 --", "0" * 5000, "\u0130" * 16, "../../etc/passwd", "a\0b"])
def test_an_interaction_that_is_not_there(bureau: Bureau, name: str) -> None:
    fault = bureau.fault("Acknowledge", InteractionId=name, Text="Hi")
    assert (fault.kind, fault.parameter) == (FaultKind.INTERACTION_GONE, "InteractionId")


def test_a_refused_call_is_logged_and_told(bureau: Bureau, said: Said) -> None:
    bureau.fault("Acknowledge", InteractionId="0" * 16, Text="Hi")
    event = said.one("service.refused")
    assert (event["method"], event["interaction"], event["fault"]) == ("Acknowledge", "0" * 16, "interaction-gone")


# Once


def test_a_request_that_comes_again_is_answered_the_same_and_done_once(bureau: Bureau, said: Said) -> None:
    given = {"InteractionId": bureau.comes().id, "Text": "Hi"}
    first = call("Acknowledge", given, bureau.office, LATER, request=REQUEST)
    before = bureau.ids()
    assert call("Acknowledge", given, bureau.office, LATER, request=REQUEST) == first
    assert bureau.ids() == before
    assert len(said.all("service.done")) == 1
    with pytest.raises(Conflict, match="used for another request"):
        call("Acknowledge", given, bureau.office, LATER, request=("key-1", "other"))


def test_a_mail_that_is_sent_again_by_one_request_is_no_fault(bureau: Bureau) -> None:
    given = {"To": "a@b.example", "Text": "Hi", "From": "d@shop.example", "Queue": "drafts"}
    asked = {"InteractionId": bureau.call("CreateEmailOut", **given)["interaction_id"]}
    first = call("Send", asked, bureau.office, LATER, request=REQUEST)
    assert call("Send", asked, bureau.office, LATER, request=REQUEST) == first


def test_a_refused_request_may_come_again(bureau: Bureau) -> None:
    given = {"InteractionId": bureau.comes().id, "Text": "Hi", "To": "nobody"}
    with pytest.raises(ServiceFault):
        call("Acknowledge", given, bureau.office, LATER, request=REQUEST)
    assert call("Acknowledge", given | {"To": "a@b.example"}, bureau.office, LATER, request=REQUEST)["outbox_id"]


def test_a_request_whose_twin_was_quicker_gets_its_answer(bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"InteractionId": bureau.comes().id, "Text": "Hi"}
    first = call("Acknowledge", given, bureau.office, LATER, request=REQUEST)
    monkeypatch.setattr(type(bureau.store.writing), "answer", lambda *_: None)  # as if it looked before the first wrote
    assert call("Acknowledge", given, bureau.office, LATER, request=REQUEST) == first
    assert len(bureau.ids()) == 3


def test_what_goes_away_between_plan_and_commit_is_a_fault(bureau: Bureau) -> None:
    question = bureau.comes()
    plan = planned("Acknowledge", {"InteractionId": question.id, "Text": "Hi"}, bureau.office, LATER)
    assert bureau.store.interactions.prune(START.replace(microsecond=1), 1) == 1
    with pytest.raises(Gone) as gone:
        bureau.store.writing.commit(plan.writes, LATER)
    assert bureau.ids() == []
    assert fault_of(gone.value, plan.writes).kind is FaultKind.INTERACTION_GONE
    assert fault_of(Gone("other"), Writes(needs=("first", "other"))).kind is FaultKind.PARENT_GONE


def test_of_two_who_send_one_mail_the_second_is_told(bureau: Bureau) -> None:
    given = {"To": "a@b.example", "Text": "Hi", "From": "d@shop.example", "Queue": "drafts"}
    entry = bureau.made(bureau.call("CreateEmailOut", **given))
    plan = planned("Send", {"InteractionId": entry.id}, bureau.office, LATER)
    bureau.call("Send", entry)
    with pytest.raises(Conflict) as conflict:
        bureau.store.writing.commit(plan.writes, LATER)
    assert fault_of(conflict.value, plan.writes).kind is FaultKind.ALREADY_SENT
    with pytest.raises(ServiceFault, match="already"):
        planned("Send", {"InteractionId": entry.id}, bureau.office, LATER)


def test_a_mail_that_is_stopped_between_plan_and_commit_stays(bureau: Bureau) -> None:
    given = {"To": "a@b.example", "Text": "Hi", "From": "d@shop.example", "Queue": "drafts"}
    entry = bureau.made(bureau.call("CreateEmailOut", **given))
    plan = planned("Send", {"InteractionId": entry.id}, bureau.office, LATER)
    bureau.store.writing.commit(Writes(changes=(Change(id=entry.id, state=InteractionState.STOPPED),)), LATER)
    with pytest.raises(Conflict):
        bureau.store.writing.commit(plan.writes, LATER)
    assert in_outbox(bureau.store) == []


def test_a_claimed_mail_is_sent(bureau: Bureau) -> None:
    given = {"To": "a@b.example", "Text": "Hi", "From": "d@shop.example", "Queue": "drafts"}
    entry = bureau.made(bureau.call("CreateEmailOut", **given))
    claimed = Change(id=entry.id, state=InteractionState.IN_PROCESS)
    bureau.store.writing.commit(Writes(changes=(claimed,)), START)
    assert bureau.call("Send", entry)["outbox_id"] == entry.id


def test_mails_out_that_wait_are_shown_to_rules_first(bureau: Bureau) -> None:
    given = {"To": "a@b.example", "Text": "Hi", "From": "d@shop.example"}
    waits = planned("CreateEmailOut", given | {"Queue": "drafts"}, bureau.office, LATER).writes
    goes = planned("CreateEmailOut", given, bureau.office, LATER).writes
    rule = RuleSection(name="rule-out", if_type=Direction.OUTBOUND, service="Send")
    rests = RuleSection(name="rule-rests", if_type=Direction.OUTBOUND, service="Send", enable_rule=False)
    inbound = RuleSection(name="rule-in", service="Acknowledge")
    plain = settings()
    object.__setattr__(plain, "rules", {"rule-in": inbound, "rule-rests": rests})
    assert not rules_for(waits, plain)
    object.__setattr__(plain, "rules", {"rule-out": rule})
    assert rules_for(waits, plain)
    assert not rules_for(goes, plain)


# Documentation


def test_services_are_described_as_they_are_declared() -> None:
    for service, declared in zip(described(), SERVICES, strict=True):
        assert service["method"] == declared.kind.name
        assert service_named(service["aliases"][0]) is declared
        for parameter in service["parameters"]:
            if not parameter["name"].endswith(".NAME"):
                needed = {one.name: "x" for one in options(declared) if one.required}
                parameters_of(declared, needed | {parameter["name"]: parameter["default"] or needed.get("Chat", "")})
            assert parameter["help"].endswith(".")

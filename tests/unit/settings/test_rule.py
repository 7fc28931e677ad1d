"""Rules as conf files say them: in their order, and every mistake at its line."""

from __future__ import annotations

import pytest

from emaild.message import INBOUND, OUTBOUND, InteractionState
from emaild.settings.rule import counting
from tests.conf_files import ConfFiles

ACK = "service = Acknowledge\nSrlId = thanks\n"


def test_a_rule_has_conditions_a_service_with_its_parameters_and_what_becomes_of_the_mail(conf: ConfFiles) -> None:
    rules = conf.load(
        "[rule-Bills]\nif-mailbox = desk@shop.example sales\nif-subject = *invoice*, *bill*\nif-automatic = no\n"
        "service = forward\nTo = bills@shop.example\nFieldCodes.Team = Bills\nthen-queue = bills\n"
        "then-state = in_process\n"
    ).rules
    rule = rules["rule-Bills"]
    assert rule.if_mailbox == ("desk@shop.example", "sales")
    assert rule.if_subject == ("*invoice*", "*bill*")
    assert (rule.if_automatic, rule.if_first_of_thread) == (False, None)
    assert (rule.service, rule.then_queue, rule.then_state) == ("forward", "bills", InteractionState.IN_PROCESS)
    assert rule.parameters == {"To": "bills@shop.example", "FieldCodes.Team": "Bills"}


def test_rules_are_in_the_order_of_the_conf_files_and_those_that_rest_do_not_count(conf: ConfFiles) -> None:
    conf.write(f"[rule-c]\n{ACK}", "conf.d/1.conf")
    settings = conf.load(
        f"[rule-b]\n{ACK}[rule-rests]\nenable-rule = no\n{ACK}[rule-a]\n{ACK}"
        "[rule-out]\nif-type = outbound\nservice = Send\n"
    )
    rules = settings.rules.values()
    assert [rule.name for rule in counting(rules, INBOUND)] == ["rule-b", "rule-a", "rule-c"]
    assert [rule.name for rule in counting(rules, OUTBOUND)] == ["rule-out"]


NOTHING = "the rule does nothing; expected a service, then-queue or then-state"
FIVE = "a rule has no chat for ChatTranscript; a program calls it, over HTTP or by emaild call"
TO = "it is missing; expected the address that {} writes to"
WORDS = "it is missing; expected a standard response, or words in Text or Html"
STAYS = "Send itself moves the mail; leave it out"
ONLY_SEND = "Send is for rules with if-type = Outbound, and those are for Send"


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ("", f"1: [rule-x] service: {NOTHING}"),
        ("To = a@b.example\n", f"1: [rule-x] service: {NOTHING}"),
        ("service = Acknowlege\n", "2: [rule-x] service: there is no service Acknowlege; did you mean Acknowledge?"),
        ("service = ChatTranscript\nSrlId = chat\n", f"2: [rule-x] service: {FIVE}"),
        ("service = ChatTranscript\nSrlId = chat\nChat = <chat/>\n", f"2: [rule-x] service: {FIVE}"),
        ("service = Forward\n", f"1: [rule-x] To: {TO.format('Forward')}"),
        ("service = RedirectEmail\n", f"1: [rule-x] To: {TO.format('Redirect')}"),
        ("service = Notify\nto =\nText = x\n", f"3: [rule-x] to: {TO.format('CreateNotification')}"),
        ("service = CreateEmailOut\nText = x\nCc = a@b.example\n", f"1: [rule-x] To: {TO.format('CreateEmailOut')}"),
        ("service = Acknowledge\n", f"1: [rule-x] SrlId: {WORDS}"),
        ("service = AutoResponse\nText =\n", f"1: [rule-x] SrlId: {WORDS}"),
        ("service = Notify\nTo = a@b.example\nStandardResponse =\n", f"1: [rule-x] SrlId: {WORDS}"),
        ("service = Send\n", f"2: [rule-x] service: {ONLY_SEND}"),
        (f"if-type = Outbound\n{ACK}", f"3: [rule-x] service: {ONLY_SEND}"),
        ("if-type = Outbound\nservice = Send\nthen-queue = q\n", f"4: [rule-x] then-queue: {STAYS}"),
        ("if-type = Outbound\nservice = Send\nthen-state = NEW\n", f"4: [rule-x] then-state: {STAYS}"),
        (
            "then-queue = Send\n",
            "2: [rule-x] then-queue: send is for mails out that a service makes; expected another queue",
        ),
        ("then-queue = q\nTo = a@b.example\n", "3: [rule-x] To: the rule calls no service whose parameter it could be"),
        (f"{ACK}if-header = X-Spam\n", "4: [rule-x] if-header: expected NAME: PATTERN, found 'X-Spam'"),
        (f"{ACK}if-header = X-A: b, : yes\n", "4: [rule-x] if-header: expected NAME: PATTERN, found ': yes'"),
        (f"{ACK}if-header = X-Spam:\n", "4: [rule-x] if-header: expected NAME: PATTERN, found 'X-Spam:'"),
        (
            f"{ACK}if-subtype = InboundNews\n",
            "4: [rule-x] if-subtype: Inbound mails have no subtype InboundNews; did you mean InboundNew?",
        ),
        (f"{ACK}if-type = sideways\n", "4: [rule-x] if-type: expected Inbound or Outbound, found 'sideways'"),
        (f"{ACK}if-automatic = perhaps\n", "4: [rule-x] if-automatic: expected true or false, found 'perhaps'"),
        (
            f"{ACK}InteractionId = 1\n",
            "4: [rule-x] InteractionId: a rule works on the interaction that it fits; leave it out",
        ),
        (f"{ACK}Srl-Id = other\n", "4: [rule-x] Srl-Id: it stands already at"),
        (f"{ACK}StandardResponse = other\n", "4: [rule-x] StandardResponse: SrlId is given twice"),
        (f"{ACK}UseSubjectFromSrl = perhaps\n", "4: [rule-x] UseSubjectFromSrl: expected true or false, found"),
        (f"{ACK}Subjet = x\n", "4: [rule-x] Subjet: Acknowledge has no such parameter; did you mean Subject?"),
        (f"{ACK}if-sujbect = x\n", "4: [rule-x] if-sujbect: Acknowledge has no such parameter"),
        (f"{ACK}Headers = x\n", "4: [rule-x] Headers: it holds names of your own; expected Headers.NAME"),
        (f"{ACK}Agent = bob\n", "4: [rule-x] Agent: there is no section [agent-bob]"),
        (f"{ACK}ResponseType = x\n", "4: [rule-x] ResponseType: it is no parameter here: call the service"),
    ],
)
def test_what_is_wrong_in_a_rule_is_refused_at_its_line(conf: ConfFiles, lines: str, fault: str) -> None:
    faults = conf.faults(f"[rule-x]\n{lines}")
    assert faults[0].startswith(f"emaild.conf:{fault}")
    assert len(faults) == (2 if lines.startswith("To") else 1)


def test_a_rule_for_a_mailbox_that_nobody_has_is_warned_of(conf: ConfFiles) -> None:
    (warning,) = conf.warnings(f"[rule-x]\nif-mailbox = nobody@shop.example\n{ACK}")
    assert warning.startswith("emaild.conf:2: [rule-x] if-mailbox: no mailbox is called nobody@shop.example")

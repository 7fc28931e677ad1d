"""Rules that call services: each exactly once, and never in circles."""

from __future__ import annotations

import pytest

from emaild.errors import StoreFailed
from emaild.message import InteractionState, Subtype
from emaild.services.call import call
from emaild.services.submit import EVERY, Submit
from emaild.store import Store
from emaild.store.writes import Writing
from tests.clock import START, ManualClock
from tests.conf_files import ConfFiles
from tests.ruling import ACK, FORWARD, Ruling
from tests.said import Said
from tests.samples import in_outbox
from tests.understanding import letter


@pytest.fixture
def ruling(store: Store, conf: ConfFiles, clock: ManualClock) -> Ruling:
    return Ruling(store, conf, clock)


# Services


def test_a_service_a_move_and_the_number_are_one(ruling: Ruling, said: Said) -> None:
    ruling.rules(f"{ACK}then-queue = answered\n")
    entry = ruling.take(letter())
    assert (entry.queue, entry.rule, entry.number) == ("answered", "rule-ack", 1)
    (answer,) = ruling.out
    assert (answer.parent_id, answer.subtype, answer.number) == (entry.id, Subtype.OUTBOUND_ACKNOWLEDGEMENT, 2)
    assert ruling.outbox() == [answer.id]
    event = said.one("rule.applied")
    assert (event["rule"], event["service"], event["created"]) == ("rule-ack", "Acknowledge", answer.id)


def test_nothing_is_done_twice(ruling: Ruling) -> None:
    ruling.rules(ACK)
    ruling.take(letter())
    ruling.run()
    Submit(ruling.store, lambda: ruling.settings, ManualClock()).run()
    assert len(ruling.out) == len(ruling.outbox()) == 1


def test_a_store_that_fails_leaves_all_for_the_next_time(
    ruling: Ruling, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    ruling.rules(f"{ACK}then-queue = answered\n")
    (name,) = ruling.arrive(letter())

    def full(*given: object, **more: object) -> None:
        raise StoreFailed("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(Writing, "commit", full)
        assert ruling.job.run() == EVERY
        assert ruling.job.run() == EVERY
    assert (ruling.given, ruling.outbox(), ruling.get(name).queue) == ([], [], "inbound")
    assert said.names.count("store.failed") == 1
    ruling.run()
    assert (len(ruling.out), ruling.get(name).queue) == (1, "answered")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (letter("Away", auto_submitted="auto-replied"), "automatic"),
        (letter("News", precedence="bulk"), "automatic"),
    ],
)
def test_automatic_mail_gets_no_answer_and_that_is_no_fault(
    ruling: Ruling, said: Said, raw: bytes, reason: str
) -> None:
    ruling.rules(f"{ACK}then-queue = answered\n")
    entry = ruling.take(raw)
    assert (entry.rule, entry.queue, entry.number) == ("rule-ack", "inbound", 1)
    assert (ruling.out, ruling.outbox()) == ([], [])
    assert reason in said.one("rule.declined")["reason"]
    assert "rule.failed" not in said.names


def test_a_war_of_two_robots_ends(ruling: Ruling, said: Said) -> None:
    """The other one does not say that it is one, and answers whatever it gets."""
    ruling.rules(ACK, processing="autowar-max-reply-count = 3")
    ruling.take(letter(sender="robot@other.example"))
    for _ in range(6):
        answers = ruling.out[-1].facts.message_id or ""
        ruling.take(letter("Re: We have it", sender="robot@other.example", in_reply_to=answers))
    assert len(ruling.out) == 3
    assert len(said.all("rule.declined")) == 4


@pytest.mark.parametrize(
    ("service", "back"), [("Forward", 3), ("Redirect", 3), ("Notification", 2), ("CreateEmailOut", 3)]
)
def test_rules_in_two_places_that_write_to_each_other_in_new_threads_end(
    ruling: Ruling, said: Said, service: str, back: int
) -> None:
    """Notifications of what others wrote count too, for they say that they are automatic."""
    text = "" if service == "Redirect" else "Text = Look\n"
    rule = f"[rule-x]\nservice = {service}\nTo = desk@other.example\nDoNotThread = true\n{text}"
    ruling.rules(rule, processing="autowar-max-reply-count = 3")
    for number in range(6):
        ruling.take(letter(f"News {number}", sender="desk@other.example"))
        ruling.take(letter(f"Question {number}", sender=f"ann{number}@example.com"))
    assert len(ruling.out) == back + 6
    assert len(said.all("rule.declined")) == 6 - back


def test_each_answer_counts_for_the_next_mail_of_a_batch(ruling: Ruling, said: Said) -> None:
    ruling.rules(ACK, processing="autowar-max-reply-count = 3\nautowar-scan-all-threads-of-contact = true")
    ruling.arrive(*(letter(sender="robot@other.example") for _ in range(10)))
    assert ruling.job.run() == 0.0
    assert len(ruling.out) == 3
    assert len(said.all("rule.declined")) == 7


@pytest.mark.parametrize(
    ("rule", "subtype"),
    [
        (FORWARD, Subtype.OUTBOUND_FORWARD),
        (
            "[rule-expert]\nservice = Notification\nText = Look\nTo = expert@lab.example\n",
            Subtype.OUTBOUND_NOTIFICATION,
        ),
        ("[rule-expert]\nservice = Redirect\nTo = expert@lab.example\n", Subtype.OUTBOUND_REDIRECT),
        ("[rule-expert]\nservice = CreateEmailOut\nText = Look\nTo = expert@lab.example\n", Subtype.OUTBOUND_NEW),
    ],
)
def test_the_answer_to_a_rules_own_mail_makes_no_other(ruling: Ruling, said: Said, rule: str, subtype: str) -> None:
    ruling.rules(f"{rule}then-queue = out\n")
    ruling.take(letter())
    (sent,) = ruling.out
    assert sent.subtype == subtype
    back = ruling.take(letter("Away", sender="expert@lab.example", in_reply_to=sent.facts.message_id or ""))
    assert (back.parent_id, back.rule, back.queue) == (sent.id, "rule-expert", "inbound")
    assert ruling.out == [sent]
    assert said.one("rule.declined")["reason"] == "it answers a mail that this rule sent"


def test_the_answer_to_another_rules_mail_may(ruling: Ruling) -> None:
    ruling.rules(
        f"{FORWARD}if-subtype = InboundNew\n",
        "[rule-back]\nif-subtype = InboundExternalReply\nservice = ReplyFromExtResource\n",
        "[rule-boss]\nservice = CreateNotification\nTo = boss@shop.example\nText = Look\n",
    )
    question = ruling.take(letter())
    (forward,) = ruling.out
    answer = ruling.take(letter(sender="expert@lab.example", in_reply_to=forward.facts.message_id or ""))
    reply = ruling.out[-1]
    assert (answer.rule, reply.subtype, reply.parent_id) == ("rule-back", Subtype.OUTBOUND_REPLY, question.id)
    again = ruling.take(letter(in_reply_to=reply.facts.message_id or ""))
    assert (again.rule, ruling.out[-1].subtype) == ("rule-boss", Subtype.OUTBOUND_NOTIFICATION)
    more = ruling.take(letter(in_reply_to=again.facts.message_id or ""))
    assert ruling.out[-1].parent_id == more.id, "what a customer adds is no answer to the notification"


def test_the_answer_to_a_person_who_wrote_after_the_rule_is_no_answer_to_the_rule(ruling: Ruling) -> None:
    ruling.rules("[rule-boss]\nservice = CreateNotification\nTo = boss@shop.example\nText = Look\n")
    question = ruling.take(letter())
    given = {"InteractionId": question.id, "To": "ann@example.com", "Text": "Which one?"}
    written = call("CreateEmailOut", given, ruling.office, START)
    more = ruling.take(letter(in_reply_to=str(written["message_id"])))
    assert more.parent_id == written["interaction_id"]
    assert (ruling.out[-1].parent_id, ruling.out[-1].subtype) == (more.id, Subtype.OUTBOUND_NOTIFICATION)


def test_what_one_rule_forwarded_another_may_pass_on(ruling: Ruling) -> None:
    ruling.rules(
        f"{FORWARD}if-subtype = InboundNew\n",
        "[rule-boss]\nif-subtype = InboundExternalReply\nservice = Forward\nTo = boss@lab.example\n",
    )
    ruling.take(letter())
    answer = ruling.take(letter(sender="expert@lab.example", in_reply_to=ruling.out[-1].facts.message_id or ""))
    assert (len(ruling.out), ruling.out[-1].parent_id) == (2, answer.id)


# Mails out


def test_a_mail_out_in_a_queue_is_seen_by_its_rules_first(ruling: Ruling) -> None:
    ruling.rules(
        f"{ACK}Queue = review\n",
        "[rule-out]\nif-type = Outbound\nif-queue = review\nif-subject = we*\nservice = Send\nDsn = true\n",
    )
    ruling.take(letter())
    (answer,) = ruling.out
    assert (answer.rule, answer.state, answer.queue) == ("rule-out", InteractionState.STOPPED, "send")
    (entry,) = in_outbox(ruling.store)
    assert entry.id == answer.id
    assert answer.number == 2


def test_without_a_rule_for_it_it_waits_in_its_queue(ruling: Ruling) -> None:
    ruling.rules(f"{ACK}Queue = review\n", "[rule-out]\nif-type = Outbound\nif-queue = other\nservice = Send\n")
    ruling.take(letter())
    (answer,) = ruling.out
    assert (answer.rule, answer.state, answer.queue) == (None, InteractionState.NEW, "review")
    assert ruling.outbox() == []


def test_an_outbound_rule_is_for_no_mail_in_and_the_other_way_round(ruling: Ruling) -> None:
    ruling.rules("[rule-out]\nif-type = Outbound\nthen-queue = other\n", f"{ACK}Queue = review\n")
    entry = ruling.take(letter())
    (answer,) = ruling.out
    assert (entry.rule, entry.queue) == ("rule-ack", "inbound")
    assert (answer.rule, answer.queue) == ("rule-out", "other")

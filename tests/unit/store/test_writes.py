"""What services, rules and programs change: all of it in one commit, or nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from emaild.errors import Conflict, NotFound
from emaild.message import OUTBOUND, Envelope, InteractionState, Subtype
from emaild.store import Store
from emaild.store.interactions import Chosen
from emaild.store.raw import digest
from emaild.store.writes import Change, Gone, NewMail, Request, Submission, Writes
from tests.clock import START
from tests.samples import in_outbox, kept, mail, outbound, taken

NOWHERE = "0000000000000000"
ANSWER = {"interaction_id": "1", "outbox_id": None}


def waiting(store: Store, *keys: str) -> list[str]:
    """Mails in that the rules have not seen."""
    names = []
    for key in keys:
        inbound, entry = taken(key)
        kept(store, "account", [(inbound, entry)], submitted=False)
        names.append(entry.id)
    return names


def given(store: Store) -> list[str]:
    """What programs see, in its order."""
    return [entry.id for entry in store.interactions.submitted(Chosen(), 0, 100)]


def answer() -> NewMail:
    """A mail of ours."""
    raw = mail("Answer")
    _, entry = taken("x", raw)
    envelope = Envelope(sender="support@example.com", recipients=("ann@example.com",))
    return NewMail(
        interaction=replace(
            entry, type=OUTBOUND, subtype=Subtype.OUTBOUND_REPLY, raw_digest=digest(raw), envelope=envelope
        ),
        raw=raw,
    )


def test_all_that_is_to_be_written_is_written(store: Store) -> None:
    (question,) = waiting(store, "1")
    new = answer()
    sent = replace(outbound(raw=new.raw), id=new.interaction.id, subtype=new.interaction.subtype)
    store.writing.commit(
        Writes(created=(new,), queued=(sent,), changes=(Change(id=question, queue="done"),), needs=(question,)),
        START,
        submissions=[Submission(id=question, rule="rule-a")],
    )
    entry = store.interactions.get(question)
    assert (entry.queue, entry.state, entry.rule, entry.number) == ("done", InteractionState.NEW, "rule-a", 1)
    made = store.interactions.get(new.interaction.id)
    assert made == replace(new.interaction, number=2, facts=made.facts)
    assert store.interactions.raw(made) == new.raw
    assert [row.id for row in in_outbox(store)] == [made.id]
    assert given(store) == [question, made.id], "a mail is seen before its answer"


def test_new_interactions_wait_where_rules_are_to_see_them(store: Store) -> None:
    new = answer()
    store.writing.commit(Writes(created=(new,)), START, rules=True)
    assert given(store) == []
    assert [entry.id for entry in store.interactions.unsubmitted(10)] == [new.interaction.id]


@pytest.mark.parametrize(
    ("writes", "fault"),
    [
        (Writes(needs=(NOWHERE,)), Gone),
        (Writes(changes=(Change(id=NOWHERE, queue="q"),)), Gone),
        (Writes(changes=(Change(id="there", if_states=(InteractionState.STOPPED,)),)), Conflict),
        (Writes(queued=(replace(outbound(), id="sent"),)), Conflict),
    ],
)
def test_what_cannot_be_written_whole_is_not_written(store: Store, writes: Writes, fault: type[Exception]) -> None:
    (there,) = waiting(store, "1")
    sent = outbound()
    store.outbox.add(sent, START)
    changes = (
        Change(id=there, queue="moved"),
        *(replace(one, id=one.id.replace("there", there)) for one in writes.changes),
    )
    queued = tuple(replace(one, id=sent.id) for one in writes.queued)
    new = answer()
    asked = Request(key="k", digest="d", answer=ANSWER)
    with pytest.raises(fault):
        store.writing.commit(
            replace(writes, created=(new,), changes=changes, queued=queued),
            START,
            submissions=[Submission(id=there)],
            asked=asked,
        )
    assert store.interactions.get(there).queue == "inbound"
    assert (given(store), store.interactions.last_number()) == ([], 0)
    assert store.writing.answer("k", "d") is None
    assert [row.id for row in in_outbox(store)] == [sent.id]
    with pytest.raises(NotFound):
        store.interactions.get(new.interaction.id)


def test_what_is_gone_is_named(store: Store) -> None:
    with pytest.raises(Gone) as gone:
        store.writing.commit(Writes(needs=(NOWHERE,)), START)
    assert gone.value.id == NOWHERE


def test_a_change_is_made_from_the_states_that_it_names(store: Store) -> None:
    (name,) = waiting(store, "1")
    claim = Change(id=name, state=InteractionState.IN_PROCESS, if_states=(InteractionState.NEW,))
    store.writing.commit(Writes(changes=(claim,)), START)
    with pytest.raises(Conflict, match="is IN_PROCESS; expected NEW"):
        store.writing.commit(Writes(changes=(claim,)), START)
    entry = store.interactions.get(name)
    assert (entry.state, entry.queue) == (InteractionState.IN_PROCESS, "inbound")


# Requests


def test_a_request_that_comes_again_gets_its_first_answer_and_does_nothing(store: Store) -> None:
    asked = Request(key="k", digest="d", answer=ANSWER)
    assert store.writing.commit(Writes(created=(answer(),)), START, asked=asked) == ANSWER
    later = replace(asked, answer={"interaction_id": "2"})
    assert store.writing.commit(Writes(created=(answer(),)), START, asked=later) == ANSWER
    assert store.writing.answer("k", "d") == ANSWER
    assert len(given(store)) == 1


def test_a_key_that_was_used_for_another_request_is_refused(store: Store) -> None:
    store.writing.commit(Writes(), START, asked=Request(key="k", digest="d", answer=ANSWER))
    other = Request(key="k", digest="e", answer=ANSWER)
    with pytest.raises(Conflict, match='the key "k" was used for another request'):
        store.writing.commit(Writes(created=(answer(),)), START, asked=other)
    with pytest.raises(Conflict):
        store.writing.answer("k", "e")
    assert given(store) == []


def test_old_requests_are_forgotten_a_few_at_a_time(store: Store) -> None:
    for number in range(5):
        asked = Request(key=str(number), digest="d", answer=ANSWER)
        store.writing.commit(Writes(), START + timedelta(hours=number), asked=asked)
    assert store.writing.prune(START + timedelta(hours=3), 2) == 2
    assert store.writing.prune(START + timedelta(hours=3), 2) == 1
    there = [number for number in range(5) if store.writing.answer(str(number), "d")]
    assert there == [3, 4]


# Submissions


def test_an_interaction_is_submitted_once(store: Store) -> None:
    first, second = waiting(store, "1", "2")
    store.writing.commit(Writes(), START, submissions=[Submission(id=first, rule="rule-a")])
    store.writing.commit(Writes(), START, submissions=[Submission(id=first, rule="rule-b"), Submission(id=second)])
    entry = store.interactions.get(first)
    assert (entry.number, entry.rule) == (1, "rule-a")
    assert given(store) == [first, second]


def test_what_is_gone_is_submitted_in_silence(store: Store) -> None:
    (name,) = waiting(store, "1")
    store.writing.commit(Writes(), START, submissions=[Submission(id=NOWHERE), Submission(id=name)])
    assert given(store) == [name]

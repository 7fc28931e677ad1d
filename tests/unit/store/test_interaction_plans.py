"""However many interactions there are: lists are read from an index in its order, and nothing goes through all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import combinations, islice

import pytest

from emaild.message import INBOUND, OUTBOUND, InteractionState
from emaild.store import Store, interactions
from emaild.store.inbox_choice import InboxChoice
from emaild.store.interactions import PAGE, Chosen
from emaild.store.writes import Change, Submission, Writes
from tests.clock import START
from tests.samples import kept, taken
from tests.statements import plans, statements

LATER = START + timedelta(days=1)
FILTERS = {
    "queue": "q",
    "state": InteractionState.NEW,
    "mailbox": "m",
    "type": INBOUND,
    "subtype": "InboundNew",
    "thread_id": "T",
    "parent_id": "P",
}
CHOICES = [
    {},
    {"mailbox": "m"},
    {"queue": "q"},
    {"states": (InteractionState.NEW, InteractionState.PENDING)},
    {"subtype": "InboundNew"},
    {"sender": "ann@example.com"},
    {"recipient": "@example.com"},
    {"subject": "order"},
    {"since": START},
    {"until": LATER},
    {"since": START, "until": LATER},
]


def some(store: Store, count: int = 5) -> None:
    """Some interactions: the plans are the same for any number, for nothing counts them."""
    kept(store, "account", [taken(f"{number}") for number in range(count)])


def asked_of(store: Store, ask: Callable[[], object]) -> dict[str, list[str]]:
    """How SQLite goes about what is asked of it."""
    with statements() as asked:
        ask()
    return plans(store, asked)


def slow(found: dict[str, list[str]]) -> list[str]:
    """Where it looks at all rows of a table, or sorts."""
    return [line for plan in found.values() for line in plan if line.startswith("SCAN interaction") or "B-TREE" in line]


def index_of(found: dict[str, list[str]]) -> str:
    """How the one index is used that a list is read from, at last."""
    (used,) = [line for line in list(found.values())[-1] if "interaction_" in line]
    return used.removeprefix("SEARCH interaction USING INDEX interaction_")


@pytest.mark.parametrize("names", [names for most in range(3) for names in combinations(FILTERS, most)])
def test_a_list_for_programs_is_read_from_an_index_in_its_order(store: Store, names: tuple[str, ...]) -> None:
    some(store)
    chosen = Chosen(**{name: FILTERS[name] for name in names})  # type: ignore[arg-type]
    found = asked_of(store, lambda: store.interactions.submitted(chosen, 2, 10))
    assert slow(found) == []
    assert "number>?" in index_of(found)
    assert not names or any(f"{name}=?" in index_of(found) for name in names)


@pytest.mark.parametrize(
    ("state", "other", "leads"),
    [
        (InteractionState.STOPPED, {}, "in_state"),
        (InteractionState.NEW, {"mailbox": "m"}, "in_state"),
        (InteractionState.STOPPED, {"mailbox": "m"}, "mailbox"),
        (InteractionState.STOPPED, {"type": OUTBOUND}, "type"),
        (InteractionState.NEW, {"queue": "q", "mailbox": "m"}, "state"),
        (InteractionState.STOPPED, {"queue": "q", "subtype": "InboundNew"}, "state"),
        (InteractionState.NEW, {"queue": "q", "parent_id": "P"}, "parent"),
        (InteractionState.NEW, {"thread_id": "T", "parent_id": "P"}, "thread"),
    ],
)
def test_of_several_values_the_one_leads_that_fits_the_fewest(
    store: Store, state: InteractionState, other: dict[str, str], leads: str
) -> None:
    some(store)
    chosen = Chosen(state=state, **other)
    found = asked_of(store, lambda: store.interactions.submitted(chosen, 2, 10))
    assert slow(found) == []
    assert index_of(found).partition(" ")[0] == leads


@pytest.mark.parametrize("given", CHOICES, ids=lambda given: " ".join(given) or "any")
def test_a_page_for_people_is_read_in_the_order_of_time_from_where_the_last_one_ended(
    store: Store, given: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interactions, "FEW", 0)  # what anything fits is many
    some(store, PAGE + 5)
    choice = InboxChoice(**given)  # type: ignore[arg-type]
    found = asked_of(store, lambda: list(islice(store.interactions.all(choice=choice), PAGE + 3)))
    assert slow(found) == []
    if not given:
        assert [plan for plan in found.values() if "(received,id)<(?,?)" in plan[0]]


@pytest.mark.parametrize(
    ("given", "index"),
    [
        ({"mailbox": "m"}, "mailbox (mailbox=?)"),
        ({"queue": "q"}, "queue (queue=?)"),
        ({"states": (InteractionState.PENDING,)}, "in_state (state=?)"),
        ({"subtype": "InboundNDR"}, "subtype (subtype=?)"),
        ({"queue": "q", "subject": "order", "since": START}, "queue (queue=?)"),
        ({"queue": "inbound", "subtype": "InboundNDR"}, "subtype (subtype=?)"),
        ({"states": (InteractionState.NEW,), "mailbox": "m", "sender": "@example.com"}, "mailbox (mailbox=?)"),
    ],
)
def test_what_few_fit_is_read_for_people_from_its_index(
    store: Store, given: dict[str, object], index: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interactions, "FEW", 3)
    some(store)
    found = asked_of(store, lambda: list(store.interactions.all(choice=InboxChoice(**given))))  # type: ignore[arg-type]
    assert index_of(found) == index
    assert [line for plan in found.values() for line in plan if line.startswith("SCAN interaction")] == []


@pytest.mark.parametrize("few", [0, 3, 1000])
def test_people_see_the_same_from_whichever_index_it_is_read(
    store: Store, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interactions, "FEW", few)
    monkeypatch.setattr(interactions, "PAGE", 2)
    moments = [START + timedelta(minutes=minute) for minute in (3, 1, 1, 2, 5, 4)]
    entries = [taken(f"{number}", received=moment) for number, moment in enumerate(moments)]
    kept(store, "account", entries[:4])
    kept(store, "account", entries[4:], submitted=False)
    wanted = sorted((entry for _, entry in entries), key=lambda entry: (entry.received, entry.id), reverse=True)
    choice = InboxChoice(queue="inbound", states=(InteractionState.NEW, InteractionState.PENDING))
    for limit in (None, 3):
        assert [one.id for one in store.interactions.all(limit, choice=choice)] == [one.id for one in wanted][:limit]
    assert list(store.interactions.all(type=OUTBOUND, choice=choice)) == []


@pytest.mark.parametrize(
    ("given", "leads"),
    [
        ({"queue": "inbound", "mailbox": "none"}, "mailbox"),
        ({"queue": "inbound", "state": InteractionState.NEW, "subtype": "none"}, "subtype"),
        ({"subtype": "InboundNew", "type": OUTBOUND}, "type"),
        ({"queue": "inbound", "subtype": "InboundNew"}, "queue"),
    ],
)
def test_a_list_for_programs_is_led_by_what_few_fit_and_else_by_the_best_guess(
    store: Store, given: dict[str, str], leads: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interactions, "FEW", 3)
    some(store)
    found = asked_of(store, lambda: store.interactions.submitted(Chosen(**given), 0, 10))  # type: ignore[arg-type]
    assert slow(found) == []
    assert index_of(found) == f"{leads} ({leads}=? AND number>?)"


def test_mails_out_are_listed_without_a_look_at_those_in(store: Store) -> None:
    some(store)
    found = asked_of(store, lambda: list(store.interactions.all(type=OUTBOUND)))
    assert slow(found) == []
    assert "received (type=?" in index_of(found)


def test_what_the_rules_have_not_seen_is_found_and_counted_without_a_look_at_the_rest(store: Store) -> None:
    some(store)
    found = asked_of(store, lambda: store.interactions.unsubmitted(10))
    found |= asked_of(store, store.figures.unsubmitted)
    lines = [line for plan in found.values() for line in plan]
    assert lines == [
        "SEARCH interaction USING INDEX interaction_unsubmitted (number=?)",
        "SEARCH interaction USING COVERING INDEX interaction_unsubmitted (number=?)",
    ]


def test_one_interaction_is_found_changed_and_removed_without_a_look_at_the_rest(store: Store) -> None:
    inbound, entry = taken("one")
    kept(store, "account", [(inbound, entry)], submitted=False)

    def ask() -> None:
        store.interactions.raw(store.interactions.get(entry.id))
        store.interactions.last_number()
        store.writing.commit(Writes(), START, submissions=[Submission(id=entry.id)])
        store.writing.commit(Writes(changes=(Change(id=entry.id, state=InteractionState.PENDING),)), START)
        store.interactions.prune(LATER, 10)

    found = asked_of(store, ask)
    assert [line for plan in found.values() for line in plan if line.startswith("SCAN ")] == []
    assert len(found) >= 6


def test_states_and_queues_are_counted_from_an_index_alone(store: Store) -> None:
    some(store)
    (plan,) = asked_of(store, store.figures.interactions).values()
    assert plan == ["SCAN interaction USING COVERING INDEX interaction_state"]

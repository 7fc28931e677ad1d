"""What is asked of Microsoft Graph: where, how much at once, when again; and answers of any kind."""

from __future__ import annotations

import gc
import json
import threading
from datetime import UTC, datetime
from email.message import Message
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emaild.net.graph_answer import Answer, of_batch
from emaild.net.graph_lane import AT_ONCE, Lane, lane_to
from emaild.net.graph_place import place_of
from emaild.net.retry_after import seconds_of
from emaild.settings.mailbox import MailboxSection, MailboxType
from emaild.settings.secret import Secret
from emaild.sources.graph_delta import Changes
from tests.clock import START, ManualClock
from tests.servers.wait import eventually

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["id", "value", "error", "code"]), inner)
    ),
)
ANY = st.none() | st.booleans() | st.integers() | st.text() | st.just([1]) | st.datetimes().map(datetime.isoformat)
ENTRY = st.fixed_dictionaries({"id": ANY}, optional={"receivedDateTime": ANY, "isRead": ANY, "@removed": ANY})


@pytest.mark.parametrize(
    ("authority", "server", "place"),
    [
        ("https://login.microsoftonline.com", "", (True, "graph.microsoft.com", 443)),
        ("https://login.microsoftonline.us/", "", (True, "graph.microsoft.us", 443)),
        ("https://login.partner.microsoftonline.cn", "", (True, "microsoftgraph.chinacloudapi.cn", 443)),
        ("https://login.example.com", "", (True, "graph.microsoft.com", 443)),
        ("https://login.microsoftonline.us", "https://dod-graph.microsoft.us", (True, "dod-graph.microsoft.us", 443)),
        ("https://login.example.com", "http://localhost:8080/v1.0/", (False, "localhost", 8080)),
    ],
)
def test_graph_is_where_its_authority_or_the_section_says(
    authority: str, server: str, place: tuple[bool, str, int]
) -> None:
    section = MailboxSection(
        type=MailboxType.GRAPH, mailbox="ann", password=Secret("x"), server=server, tenant_authority=authority
    )
    assert (place_of(section).origin, place_of(section).root) == (place, "/v1.0")


# The lane


def test_four_places_are_shared_and_a_fifth_waits_for_one() -> None:
    lane, inside, go_on = Lane(), threading.Semaphore(0), threading.Event()

    def use() -> None:
        with lane.places(1, 20.0):
            inside.release()
            go_on.wait(20)

    threads = [threading.Thread(target=use) for _ in range(5)]
    for thread in threads:
        thread.start()
    for _ in range(AT_ONCE):
        assert inside.acquire(timeout=10)
    assert not inside.acquire(blocking=False)
    with pytest.raises(TimeoutError), lane.places(1, 0.0):
        pass
    go_on.set()
    assert inside.acquire(timeout=10)
    for thread in threads:
        thread.join(10)
    with lane.places(4, 0.0):
        pass


def test_places_are_had_in_the_order_of_coming_by_one_and_by_all() -> None:
    lane, order = Lane(), list[str]()
    waiters = []

    def use(name: str, count: int) -> None:
        with lane.places(count, 20.0):
            order.append(name)

    with lane.places(2, 0.0):
        for name, count in (("batch", 4), ("single", 1), ("second batch", 3)):
            waiters.append(threading.Thread(target=use, args=(name, count)))
            waiters[-1].start()
            eventually(lambda: len(lane._waiting) == len(waiters))
        with pytest.raises(TimeoutError), lane.places(1, 0.0):
            pass
    for one in waiters:
        one.join(10)
    assert order == ["batch", "single", "second batch"]


def test_who_gives_up_waiting_lets_the_next_go_on() -> None:
    lane, done = Lane(), threading.Event()

    def use() -> None:
        with lane.places(1, 20.0):
            done.set()

    thread = threading.Thread(target=use)
    with lane.places(2, 0.0):

        def give_up() -> None:
            with pytest.raises(TimeoutError), lane.places(4, 0.3):
                pass

        batch = threading.Thread(target=give_up)
        batch.start()
        eventually(lambda: len(lane._waiting) == 1)
        thread.start()
        assert done.wait(10)
    for one in (batch, thread):
        one.join(10)


def test_a_lane_is_one_for_a_mailbox_while_somebody_uses_it_and_opens_in_time() -> None:
    clock, lane = ManualClock(), lane_to("graph.example:443", "Ann@example.com")
    assert lane_to("GRAPH.example:443", "ann@EXAMPLE.com") is lane
    assert lane_to("graph.example:443", "bob@example.com") is not lane
    lane.rest(30.0, clock)
    lane.rest(10.0, clock)
    clock.advance(29)
    assert lane.closed_for(clock) == 1.0
    clock.advance(1)
    assert lane.closed_for(clock) == 0.0
    lane.rest(30.0, clock)
    del lane
    gc.collect()
    eventually(lambda: lane_to("graph.example:443", "ann@example.com").closed_for(clock) == 0.0)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        (" 120 ", 120.0),
        ("999999999", 3600.0),
        ("9" * 5000, 3600.0),
        ("Mon, 02 Mar 2026 09:30:30 GMT", 30.0),
        ("Mon, 02 Mar 2026 09:29:30 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3600.0),
        ("soon", 0.0),
        ("-5", 0.0),
        ("\u0663", 0.0),
        ("", 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_an_hour_at_most(value: str, seconds: float) -> None:
    assert seconds_of(value, START) == seconds


# Answers of any kind


def answer(said: Any) -> Answer:
    return Answer(400, Message(), json.dumps(said).encode())


@given(said=JSON)
def test_any_json_is_an_answer_with_a_reason(said: Any) -> None:
    one = answer(said)
    assert one.reason.startswith("400")
    assert one.reason.isprintable()
    assert all(isinstance(entry["id"], str) for entry in one.listed)


@given(body=st.binary())
def test_any_bytes_are_an_answer(body: bytes) -> None:
    one = Answer(500, Message(), body)
    assert (one.transient, one.listed) == (True, [] if one.said == {} else one.listed)


@given(entries=st.lists(ENTRY))
def test_any_list_of_mails_can_be_read(entries: list[dict[str, Any]]) -> None:
    changes = Changes()
    changes.add(answer({"value": entries}).listed)
    assert set(changes.in_order()) == set(changes.messages)


@pytest.mark.parametrize(
    ("status", "code", "gone"),
    [(404, "ErrorItemNotFound", True), (404, "MailboxNotEnabledForRESTAPI", False), (400, "ErrorItemNotFound", False)],
)
def test_a_mail_is_gone_where_graph_says_so_and_nobody_else(status: int, code: str, gone: bool) -> None:
    assert Answer(status, Message(), json.dumps({"error": {"code": code}}).encode()).gone is gone
    assert not Answer(status, Message(), b"<html>Not found</html>").gone


SAID = {"error": {"code": "Code s3cret", "message": "Bearer s3cret is bad\nreally, ".ljust(197, ".") + "s3cret"}}


def test_a_token_that_graph_repeats_is_masked_before_anything_is_cut() -> None:
    one = Answer(401, Message(), json.dumps(SAID).encode(), secrets=(Secret("s3cret"),))
    assert one.reason.startswith(r"401 Code *** Bearer *** is bad\nreally")
    assert one.reason.endswith(".***")
    assert "s3c" not in repr(one).replace(repr(one.body), "")


def test_a_token_that_is_repeated_within_a_batch_is_masked() -> None:
    said = {"id": "0", "status": 400, "body": SAID}
    assert "s3c" not in of_batch(said, (Secret("s3cret"),)).reason


def test_who_says_more_than_can_be_masked_is_not_quoted() -> None:
    said = {"error": {"code": "X", "message": "s3cret" * 20_000}}
    assert Answer(400, Message(), json.dumps(said).encode(), secrets=(Secret("s3cret"),)).reason == "400 X"


def test_mails_are_taken_in_the_order_of_their_arrival_and_what_is_gone_is_none() -> None:
    changes = Changes()
    changes.add([{"id": "b", "receivedDateTime": "2026-03-02T09:00:01Z"}, {"id": "gone"}, {"id": "c"}])
    changes.add([{"id": "a", "receivedDateTime": "2026-03-02T10:00:00+02:00"}, {"id": "gone", "@removed": {}}])
    assert changes.in_order() == ("c", "a", "b")
    assert changes.messages["a"].received == datetime(2026, 3, 2, 8, 0, tzinfo=UTC)

"""Interactions over HTTP: lists, cursor, long poll, claiming, the mail and its files."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from emaild.message import Attachment, InteractionState
from emaild.mime.wrapping import wrapping
from emaild.settings.processing import ProcessingSection
from tests.unit.api.conftest import World

PDF = bytes(range(256)) * 300


def with_file(name: str, content_type: str = "application/pdf") -> bytes:
    """A mail with one file."""
    return (
        b"From: ann@example.com\r\nTo: support@example.com\r\nSubject: File\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nHello\r\n'
        b"--b\r\nContent-Type: " + content_type.encode() + b"\r\nContent-Transfer-Encoding: base64\r\n"
        b"Content-Disposition: attachment; " + name.encode() + b"\r\n\r\n" + base64.encodebytes(PDF) + b"--b--\r\n"
    )


def listed(world: World, query: str) -> dict[str, Any]:
    answer = world.client.get(f"/v1/interactions?{query}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def ids(document: dict[str, Any]) -> list[str]:
    return [entry["id"] for entry in document["interactions"]]


def test_interactions_come_in_the_order_of_their_numbers_page_by_page(world: World) -> None:
    put = [world.put(queue="paged").id for _ in range(5)]
    first = listed(world, "queue=paged&limit=2")
    assert ids(first) == put[:2]
    second = listed(world, f"queue=paged&limit=2&after={first['next']}")
    assert ids(second) == put[2:4]
    third = listed(world, f"queue=paged&limit=2&after={second['next']}")
    assert ids(third) == put[4:]
    assert ids(listed(world, f"queue=paged&after={third['next']}")) == []


def test_next_skips_what_does_not_fit(world: World) -> None:
    others = [world.put(queue="others") for _ in range(3)]
    document = listed(world, "queue=nobody")
    assert document["interactions"] == []
    assert document["next"] >= (others[-1].number or 0)


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        ("queue=one", True),
        ("queue=two", False),
        ("state=PENDING", True),
        ("state=NEW", False),
        ("mailbox=pop-client-sales", True),
        ("mailbox=another", False),
        ("type=Inbound", True),
        ("type=Outbound", False),
        ("subtype=InboundNDR", True),
        ("subtype=InboundNew", False),
        ("thread_id={id}", True),
        ("thread_id=0000000000000000", False),
        ("parent_id=PARENT0000000000", True),
        ("parent_id=0000000000000000", False),
    ],
)
def test_a_filter_takes_what_has_that_value(world: World, query: str, fits: bool) -> None:
    entry = world.put(
        queue="one",
        state=InteractionState.PENDING,
        mailbox="pop-client-sales",
        subtype="InboundNDR",
        parent_id="PARENT0000000000",
    )
    after = (entry.number or 0) - 1
    assert (ids(listed(world, f"after={after}&" + query.format(id=entry.id))) == [entry.id]) is fits


@pytest.mark.parametrize(
    "query",
    ["statte=NEW", "state=new", "limit=0", "limit=1001", "after=-1", "after=9223372036854775808", "after=x", "wait=nan",
     "wait=-1", "wait=601", "type=inbound", "subtype=x", "queue=" + "q" * 256],
)  # fmt: skip
def test_a_wrong_filter_is_told_and_not_left_out(world: World, query: str) -> None:
    answer = world.client.get(f"/v1/interactions?{query}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert query.partition("=")[0] in answer.json()["detail"]


def test_what_the_rules_have_not_seen_programs_do_not_see(world: World) -> None:
    entry = world.put(queue="unseen", submitted=False)
    assert ids(listed(world, "queue=unseen")) == []
    for path in ("", "/raw", "/attachments/0"):
        assert world.client.get(f"/v1/interactions/{entry.id}{path}").status_code == 404
    assert world.client.patch(f"/v1/interactions/{entry.id}", json={"state": "NEW"}).status_code == 404


def test_a_long_poll_is_answered_by_the_next_that_fits(world: World) -> None:
    after = world.store.interactions.last_number()
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(listed, world, f"queue=awaited&wait=600&after={after}") for _ in range(4)]
        world.wait_for_waiting(4)
        world.put(queue="not awaited")
        entry = world.put(queue="awaited")
        for one in waiting:
            assert ids(one.result(timeout=4)) == [entry.id]


def test_a_long_poll_sees_what_a_program_moves_into_its_queue(world: World) -> None:
    entry = world.put(queue="elsewhere")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(listed, world, "queue=moved-to&wait=600")
        world.wait_for_waiting(1)
        assert world.client.patch(f"/v1/interactions/{entry.id}", json={"queue": "moved-to"}).status_code == 200
        assert ids(waiting.result(timeout=4)) == [entry.id]


def test_a_long_poll_ends_empty_after_its_time(world: World) -> None:
    assert ids(listed(world, "queue=never&wait=0.05")) == []


def test_one_interaction_has_its_texts(world: World) -> None:
    entry = world.put()
    answer = world.client.get(f"/v1/interactions/{entry.id.lower()}")
    assert answer.status_code == 200
    document = answer.json()
    assert (document["id"], document["text"].strip(), document["number"]) == (entry.id, "How are you?", entry.number)


@pytest.mark.parametrize("name", ["X" * 16, "..%2f..%2fetc%2fpasswd", "%00", "a" * 3000, "0LQ3M9Y2V1K7ZBT%0A", "'--"])
def test_an_id_that_is_none_is_not_found(world: World, name: str) -> None:
    for path in ("", "/raw", "/attachments/0"):
        answer = world.client.get(f"/v1/interactions/{name}{path}")
        assert answer.status_code == 404
        assert answer.json()["type"] == "/problems/not-found"


def test_of_two_programs_that_claim_an_interaction_one_is_told_that_it_was_late(world: World) -> None:
    entry = world.put(queue="claimed")
    claim = {"state": "IN_PROCESS", "if_state": "NEW"}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: world.client.patch(f"/v1/interactions/{entry.id}", json=claim), range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    (won,) = [answer.json() for answer in answers if answer.status_code == 200]
    assert (won["id"], won["state"]) == (entry.id, "IN_PROCESS")
    assert world.store.interactions.get(entry.id).state is InteractionState.IN_PROCESS


def test_a_change_may_take_several_states_for_granted(world: World) -> None:
    entry = world.put(state=InteractionState.PENDING)
    change = {"queue": "second level", "if_state": ["NEW", "PENDING"]}
    answer = world.client.patch(f"/v1/interactions/{entry.id}", json=change)
    assert (answer.json()["queue"], answer.json()["state"]) == ("second level", "PENDING")
    assert world.store.interactions.get(entry.id).queue == "second level"


@pytest.mark.parametrize(
    "change",
    [{"queue": ""}, {"queue": "a\nb"}, {"queue": " "}, {"queue": "q" * 256}, {"queue": "send"}, {"queue": 5},
     {"state": "DONE"}, {"if_state": "x"}, {"nothing": 1}, [], "NEW", None],
)  # fmt: skip
def test_a_wrong_change_changes_nothing(world: World, change: object) -> None:
    entry = world.put(queue="unchanged")
    json_type = {"Content-Type": "application/json"}
    answer = world.client.patch(f"/v1/interactions/{entry.id}", content=json.dumps(change), headers=json_type)
    assert answer.status_code == 422
    assert world.store.interactions.get(entry.id) == entry


def test_the_raw_mail_is_given_byte_for_byte_to_be_saved(world: World) -> None:
    entry = world.put(with_file("filename=a.pdf"))
    answer = world.client.get(f"/v1/interactions/{entry.id}/raw")
    assert answer.content == world.store.interactions.raw(entry)
    assert answer.headers["content-type"] == "message/rfc822"
    assert answer.headers["content-disposition"].startswith(f'attachment; filename="{entry.id}.eml"')


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("filename=a.pdf", "attachment; filename=\"a.pdf\"; filename*=UTF-8''a.pdf"),
        (
            "filename*=utf-8''%E6%97%A5%22%0D%0AX-Evil:%201.pdf",
            "attachment; filename=\"__  X-Evil: 1.pdf\"; filename*=UTF-8''%E6%97%A5%22%20%20X-Evil%3A%201.pdf",
        ),
        ('filename="../../etc/passwd"', "attachment; filename=\"passwd\"; filename*=UTF-8''passwd"),
    ],
)
def test_a_file_is_given_under_a_harmless_name(world: World, name: str, shown: str) -> None:
    entry = world.put(with_file(name))
    answer = world.client.get(f"/v1/interactions/{entry.id}/attachments/0")
    assert answer.content == PDF
    assert answer.headers["content-disposition"] == shown
    assert "x-evil" not in answer.headers


def test_no_browser_shows_a_file_as_if_it_were_ours(world: World) -> None:
    entry = world.put(with_file("filename=a.html", 'text/html; charset="x"'))
    headers = world.client.get(f"/v1/interactions/{entry.id}/attachments/0").headers
    assert headers["content-type"] == "text/html"
    assert headers["content-disposition"].startswith("attachment;")
    assert headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in headers["content-security-policy"]


@pytest.mark.parametrize("number", ["1", "-1", "x", "0" * 5000, "%D9%A0", "0x0", "00", "0_0"])
def test_a_file_that_is_not_there_is_not_found(world: World, number: str) -> None:
    entry = world.put(with_file("filename=a.pdf"))
    assert world.client.get(f"/v1/interactions/{entry.id}/attachments/{number}").status_code == 404


def test_the_file_of_a_mail_that_could_not_be_read_is_the_mail(world: World) -> None:
    entry = world.put(with_file("filename=a.pdf"))
    whole = world.put(
        with_file("filename=b.pdf"), facts=wrapping(entry.facts, "too many parts", 5, ProcessingSection())
    )
    answer = world.client.get(f"/v1/interactions/{whole.id}/attachments/0")
    assert answer.content == world.store.interactions.raw(whole)


def test_a_type_that_is_none_is_not_repeated(world: World) -> None:
    odd = Attachment(name="a", content_type="text/html\r\nX-Evil: 1", size=1)
    entry = world.put()
    whole = world.put(facts=replace(wrapping(entry.facts, "broken", 5, ProcessingSection()), attachments=(odd,)))
    headers = world.client.get(f"/v1/interactions/{whole.id}/attachments/0").headers
    assert headers["content-type"] == "application/octet-stream"
    assert "x-evil" not in headers


def test_a_change_is_json(world: World) -> None:
    entry = world.put()
    answer = world.client.patch(f"/v1/interactions/{entry.id}", content=b'{"state": "PENDING"}')
    assert (answer.status_code, answer.json()["type"]) == (415, "/problems/media-type")
    assert world.store.interactions.get(entry.id) == entry


def test_an_empty_list_of_states_changes_nothing(world: World) -> None:
    entry = world.put(state=InteractionState.STOPPED)
    answer = world.client.patch(f"/v1/interactions/{entry.id}", json={"queue": "other", "if_state": []})
    assert answer.status_code == 422
    assert world.store.interactions.get(entry.id).queue == entry.queue


@pytest.mark.parametrize("name", ["send", "Send", "SEND"])
def test_no_spelling_of_our_own_queue_is_taken(world: World, name: str) -> None:
    entry = world.put()
    assert world.client.patch(f"/v1/interactions/{entry.id}", json={"queue": name}).status_code == 422


@pytest.mark.parametrize("query", ["after=1_0", "after=%2B1", "after=1.0", "after=%C2%B2", "limit=1_0", "after="])
def test_numbers_are_digits(world: World, query: str) -> None:
    assert world.client.get(f"/v1/interactions?{query}").status_code == 422

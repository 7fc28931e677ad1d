"""The outbox over HTTP: mails given in JSON or finished, once however often they are asked for; retry and cancel."""

from __future__ import annotations

import base64
import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import httpx
import pytest

from emaild.clock import SystemClock
from emaild.message import Outbound, OutboundState
from emaild.store.outbox_entries import Choice
from tests.said import Said
from tests.samples import answered, lease_of, leased
from tests.unit.api.conftest import World

MAIL = {"from": "Support <support@example.com>", "to": ["Ann <ann@example.net>"], "subject": "Hi", "text": "Yes."}
FINISHED = b"From: support@example.com\nTo: ann@example.net\nBcc: bob@example.net\nSubject: Done\n\nYes.\n"
RFC822 = {"Content-Type": "message/rfc822"}
_keys = itertools.count(1)


def given(world: World, **changes: Any) -> httpx.Response:
    return world.client.post("/v1/outbox", json={**MAIL, **changes})


def raw(world: World, answer: httpx.Response) -> EmailMessage:
    """The mail that is in the outbox now, read by the standard library."""
    assert answer.status_code == 201, answer.text
    entry, _ = world.store.outbox.get(answer.json()["id"])
    found = message_from_bytes(world.store.outbox.raw(entry), policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def count(world: World) -> int:
    return len(world.store.outbox.chosen(Choice(), after="", most=10**6))


def ended(world: World, mail: Outbound, *codes: int) -> OutboundState:
    """A mail that servers answered for good."""
    now = SystemClock().now() + timedelta(seconds=1)
    return answered(world.store, lease_of(world.store, mail, now), *codes, at=now)


def state(world: World, mail: Outbound) -> OutboundState:
    return world.store.outbox.get(mail.id)[0].state


def test_a_mail_is_written_from_json(world: World, said: Said) -> None:
    files = [{"name": "ä.bin", "content": base64.b64encode(b"\0\xff" * 9).decode(), "content_type": "image/png"}]
    answer = given(
        world, cc=["cc@example.net"], bcc=["bcc@example.net"], html="<p>Yes.</p>", headers={"X-Case": "4711"},
        attachments=files, in_reply_to="<1@example.net>",
    )  # fmt: skip
    mail = raw(world, answer)
    document = answer.json()
    assert answer.headers["location"] == f"/v1/outbox/{document['id']}"
    assert document["recipients"] == ["ann@example.net", "cc@example.net", "bcc@example.net"]
    assert (document["sender"], document["way_out"]) == ("support@example.com", "smtp-client")
    assert (mail["From"], mail["To"], mail["Cc"]) == (
        "Support <support@example.com>",
        "Ann <ann@example.net>",
        "cc@example.net",
    )
    assert mail["Bcc"] is None
    assert (mail["X-Case"], mail["In-Reply-To"], mail["References"]) == ("4711", "<1@example.net>", "<1@example.net>")
    (file,) = mail.iter_attachments()
    assert (file.get_filename(), file.get_content_type(), file.get_content()) == ("ä.bin", "image/png", b"\0\xff" * 9)
    event = said.one("outbound.queued")
    assert (event["outbound"], event["client"]) == (document["id"], "crm")


def test_a_finished_mail_is_taken_as_it_is(world: World) -> None:
    answer = world.client.post("/v1/outbox", content=FINISHED, headers=RFC822)
    mail = raw(world, answer)
    assert (mail["Subject"], mail["Bcc"], mail.get_content()) == ("Done", None, "Yes.\r\n")
    assert answer.json()["recipients"] == ["ann@example.net", "bob@example.net"]


def test_the_query_names_other_recipients_and_another_way(world: World) -> None:
    query = "?recipient=c@example.net&recipient=d@example.net&way_out=smtp-client-other"
    document = world.client.post(f"/v1/outbox{query}", content=FINISHED, headers=RFC822).json()
    assert (document["recipients"], document["way_out"]) == (["c@example.net", "d@example.net"], "smtp-client-other")
    assert world.client.post(f"/v1/outbox{query}", json=MAIL).status_code == 422


def test_the_senders_way_out_is_taken_unless_one_is_named(world: World) -> None:
    assert given(world, **{"from": "a@other.example"}).json()["way_out"] == "smtp-client-other"
    assert given(world, way_out="SMTP-Client-Other").json()["way_out"] == "smtp-client-other"


@pytest.mark.parametrize(
    ("changes", "kind", "about"),
    [
        ({"to": []}, "wrong-mail", "recipient"),
        ({"to": ["ann"]}, "wrong-mail", "'ann'"),
        ({"to": ["ann@example.net\r\nBcc: evil@example.net"]}, "wrong-mail", "evil"),
        ({"from": "a@b.example, c@d.example"}, "wrong-mail", "not one"),
        ({"from": "x\r\nX-Evil: 1 <a@b.example>"}, "wrong-mail", "x"),
        ({"subject": "a\r\nX-Evil: 1"}, "wrong-mail", "Subject"),
        ({"headers": {"X-A": "1\r\nX-Evil: 1"}}, "wrong-mail", "X-A"),
        ({"headers": {"X-A: 1\r\nX-Evil": "1"}}, "wrong-mail", "X-A"),
        ({"headers": {"Received": "from me"}}, "wrong-mail", "Received"),
        ({"headers": {"Bcc": "x@y.example"}}, "wrong-mail", "Bcc"),
        ({"headers": {"X-A": 5}}, "wrong-request", "headers.X-A"),
        ({"in_reply_to": "<a>\r\nX-Evil: 1"}, "wrong-request", "in_reply_to"),
        ({"way_out": "smtp-client-no"}, "no-way-out", "smtp-client-no"),
        ({"attachments": [{"name": "a", "content": "***"}]}, "wrong-request", "attachments.0.content"),
        ({"attachments": [{"name": "a", "content": "", "content_type": "a/b\r\n"}]}, "wrong-request", "content_type"),
        ({"atachments": []}, "wrong-request", "atachments"),
        ({"text": None}, "wrong-request", "text"),
        ({"to": "ann@example.net"}, "wrong-request", "to"),
    ],
)  # fmt: skip
def test_what_is_no_mail_is_refused_and_says_why(world: World, changes: Any, kind: str, about: str) -> None:
    before = count(world)
    answer = given(world, **changes)
    assert (answer.status_code, answer.json()["type"]) == (422, f"/problems/{kind}")
    assert about in answer.json()["detail"]
    assert "--" not in answer.json()["detail"]
    assert count(world) == before


@pytest.mark.parametrize(
    "text",
    ['"\\ud800"', '"a\\u0000b"', "NaN", "-Infinity", "1e999", "9223372036854775808", "9" * 5000, "[" * 100_000,
     '"\xff"', '{"a": 1, "a": 2}', "", '"\\udc00\\ud800"'],
)  # fmt: skip
def test_what_cannot_be_stored_or_answered_is_refused(world: World, text: str) -> None:
    body = b'{"from": "a@b.example", "to": ["c@d.example"], "subject": ' + text.encode("latin-1") + b"}"
    answer = world.client.post("/v1/outbox", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/wrong-request")


@pytest.mark.parametrize("kind", ["text/plain", "", "multipart/form-data", "application/jsonx", "application/xml"])
def test_another_type_of_body_is_refused(world: World, kind: str) -> None:
    answer = world.client.post("/v1/outbox", content=b"{}", headers={"Content-Type": kind} if kind else {})
    assert answer.status_code == 415
    assert "message/rfc822" in answer.json()["detail"]


def test_the_same_request_is_done_once(world: World) -> None:
    key = {"Idempotency-Key": f"case-{next(_keys)}"}
    first = world.client.post("/v1/outbox", json=MAIL, headers=key)
    before = count(world)
    again = world.client.post("/v1/outbox", json=MAIL, headers=key)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert count(world) == before
    other = world.client.post("/v1/outbox", json={**MAIL, "text": "No."}, headers=key)
    assert (other.status_code, other.json()["type"]) == (409, "/problems/key-used")
    way = world.client.post("/v1/outbox?way_out=smtp-client", json=MAIL, headers=key)
    assert way.status_code == 409
    assert count(world) == before


def test_a_key_is_its_callers_own(world: World) -> None:
    key = {"Idempotency-Key": f"case-{next(_keys)}"}
    first = world.client.post("/v1/outbox", json=MAIL, headers=key)
    desk = {**key, "Authorization": f"{world.client.headers['Authorization']}-of-the-desk"}
    other = world.client.post("/v1/outbox", json=MAIL, headers=desk)
    assert (first.status_code, other.status_code) == (201, 201)
    assert first.json()["id"] != other.json()["id"]


def test_the_same_request_at_the_same_time_is_done_once(world: World) -> None:
    key = {"Idempotency-Key": f"case-{next(_keys)}"}
    before = count(world)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: world.client.post("/v1/outbox", json=MAIL, headers=key), range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert count(world) == before + 1


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "ä"])
def test_a_key_that_is_none_is_refused(world: World, key: str) -> None:
    answer = world.client.post("/v1/outbox", json=MAIL, headers={b"Idempotency-Key": key.encode()})
    assert answer.status_code == 422
    assert "Idempotency-Key" in answer.json()["detail"]


def test_mails_out_are_listed_by_state_and_way_and_page(world: World) -> None:
    waiting = [world.queue(way_out="way-listed") for _ in range(3)]
    done = world.queue(way_out="way-listed")
    world.store.outbox.cancel(done.id, SystemClock().now())

    def listed(query: str) -> list[str]:
        document = world.client.get(f"/v1/outbox?way_out=way-listed&{query}").json()
        return [entry["id"] for entry in document["outbox"]]

    names = [mail.id for mail in waiting]
    assert listed("") == names
    assert listed("history=true") == [done.id]
    assert listed("state=CANCELLED") == [done.id]
    assert listed("history=false&state=CANCELLED") == []
    assert listed("limit=2") == names[:2]
    assert listed(f"limit=2&after={names[1].lower()}") == names[2:]
    assert world.client.get("/v1/outbox?way_out=way-listed&limit=2").json()["next"] == names[1]


def test_one_mail_out_has_its_tries_and_its_bytes(world: World) -> None:
    mail = world.queue("a@b.example")
    ended(world, mail, 550)
    document = world.client.get(f"/v1/outbox/{mail.id.lower()}").json()
    assert (document["state"], document["recipients"][0]["code"]) == ("FAILED", "550")
    assert [one["number"] for one in document["log"]] == [1]
    assert world.client.get(f"/v1/outbox/{mail.id}/raw").content == mail.raw
    for path in ("", "/raw"):
        assert world.client.get(f"/v1/outbox/0000000000000000{path}").status_code == 404


def test_a_mail_that_failed_is_sent_again_to_those_who_did_not_get_it(world: World, said: Said) -> None:
    mail = world.queue("a@b.example", "c@d.example", way_out="way-partly")
    assert ended(world, mail, 250, 550) is OutboundState.PARTLY_SENT
    document = world.client.post(f"/v1/outbox/{mail.id}/retry").json()
    assert (document["state"], document["finished"]) == ("QUEUED", None)
    assert [one["state"] for one in document["recipients"]] == ["SENT", "WAITING"]
    (again,) = leased(world.store, SystemClock().now(), way_out="way-partly")
    assert again.mail.recipients == ("c@d.example",)
    assert said.one("outbound.retried")["outbound"] == mail.id


def test_a_mail_that_is_sent_or_being_sent_is_neither_retried_nor_cancelled(world: World) -> None:
    mail = world.queue("a@b.example", way_out="way-sent")
    (lease,) = leased(world.store, SystemClock().now(), way_out="way-sent")
    for action in ("retry", "cancel"):
        assert world.client.post(f"/v1/outbox/{mail.id}/{action}").status_code == 409
    answered(world.store, lease, 250, at=SystemClock().now())
    for action in ("retry", "cancel"):
        answer = world.client.post(f"/v1/outbox/{mail.id}/{action}")
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/conflict")
    assert state(world, mail) is OutboundState.SENT


def test_a_cancelled_mail_is_not_sent_until_it_is_retried(world: World, said: Said) -> None:
    mail = world.queue(way_out="way-cancelled")
    assert world.client.post(f"/v1/outbox/{mail.id}/cancel").json()["state"] == "CANCELLED"
    assert not world.store.sending.has_due("way-cancelled", SystemClock().now() + timedelta(days=30))
    assert said.one("outbound.cancelled")["client"] == "crm"
    assert world.client.post(f"/v1/outbox/{mail.id}/cancel").status_code == 409
    assert world.client.post(f"/v1/outbox/{mail.id.lower()}/retry").json()["state"] == "QUEUED"
    assert world.store.sending.has_due("way-cancelled", SystemClock().now())


def test_what_is_not_there_is_neither_retried_nor_cancelled(world: World) -> None:
    for action in ("retry", "cancel"):
        assert world.client.post(f"/v1/outbox/0000000000000000/{action}").status_code == 404

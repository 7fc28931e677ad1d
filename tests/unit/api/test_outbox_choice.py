"""The outbox over HTTP: which mails somebody means, and what is done to all of them."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest

from emaild.clock import SystemClock
from emaild.message import Outbound, OutboundState
from tests.said import Said
from tests.samples import answered, lease_of
from tests.unit.api.conftest import World

_numbers = itertools.count(1)


@pytest.fixture
def domain() -> str:
    """One that no other test writes to."""
    return f"choice{next(_numbers)}.example"


def found(world: World, **query: Any) -> list[str]:
    answer = world.client.get("/v1/outbox", params=query)
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["outbox"]]


def failed(world: World, mail: Outbound) -> None:
    now = SystemClock().now() + timedelta(seconds=1)
    answered(world.store, lease_of(world.store, mail, now), *[550] * len(mail.recipients), at=now)


def state(world: World, mail: Outbound) -> OutboundState:
    return world.store.outbox.get(mail.id)[0].state


def test_mails_are_found_by_each_filter(world: World, domain: str) -> None:
    mine = f"ann@{domain}"
    mail, other = world.queue(mine), world.queue(f"bob@{domain}", way_out="smtp-client-other")
    came = world.store.outbox.get(mail.id)[0].created
    both = sorted([mail.id, other.id])
    whole = f"@{domain.upper()}"
    assert found(world, recipient=mine.upper()) == [mail.id]
    assert found(world, recipient=whole) == both
    assert found(world, recipient=whole, way_out="smtp-client-other") == [other.id]
    assert found(world, recipient=whole, sender="@example.com") == both
    assert found(world, recipient=whole, sender="nobody@example.com") == []
    assert found(world, message_id=mail.message_id.strip("<>")) == [mail.id]
    assert found(world, recipient=whole, since=(came + timedelta(hours=1)).isoformat()) == []
    assert found(world, recipient=whole, until=(came + timedelta(hours=1)).isoformat()) == both
    assert found(world, recipient=whole, state=["HELD", "FAILED"]) == []
    failed(world, other)
    assert found(world, recipient=whole) == [mail.id]
    assert found(world, recipient=whole, state=["QUEUED", "FAILED"]) == both
    assert found(world, recipient=whole, history=True, text="so be it") == [other.id]


@pytest.mark.parametrize(
    "wrong", ["yesterday", "1700000000", "2026-03-02", "2026-03-02T09:30:00", "2026-13-02T09:30:00Z"]
)
def test_a_time_that_is_not_rfc_3339_is_refused(world: World, wrong: str) -> None:
    assert world.client.get("/v1/outbox", params={"since": wrong}).status_code == 422


def test_the_first_and_the_last_moment_can_be_asked_for(world: World) -> None:
    first, last = "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"
    assert world.client.get("/v1/outbox", params={"since": first, "until": last}).status_code == 200


def test_one_mail_is_held_and_let_go(world: World, said: Said) -> None:
    mail = world.queue()
    answer = world.client.post(f"/v1/outbox/{mail.id}/hold")
    assert (answer.status_code, answer.json()["state"], answer.json()["next_attempt"]) == (200, "HELD", None)
    assert said.one("outbound.held")["client"] == "crm"
    assert world.client.post(f"/v1/outbox/{mail.id}/retry").json()["state"] == "QUEUED"
    failed(world, mail)
    assert world.client.post(f"/v1/outbox/{mail.id}/hold").status_code == 409
    assert world.client.post("/v1/outbox/0000000000000000/hold").status_code == 404


def test_all_that_fit_are_held_retried_and_cancelled(world: World, domain: str, said: Said) -> None:
    mails, other = [world.queue(f"{number}@{domain}") for number in range(3)], world.queue()
    chosen = {"recipient": f"@{domain}"}
    for action, became in (("hold", "HELD"), ("retry", "QUEUED"), ("cancel", "CANCELLED")):
        answer = world.client.post(f"/v1/outbox/{action}", json=chosen)
        assert (answer.status_code, answer.json()) == (200, {"changed": 3, "being_sent": 0, "woken": []})
        assert {state(world, mail) for mail in mails} == {became}
    assert state(world, other) is OutboundState.QUEUED
    events = said.all("outbound.many_changed")
    assert [(event["action"], event["mails"], event["filters"], event["client"]) for event in events] == [
        (action, 3, [f"{name}={value}" for name, value in chosen.items()], "crm")
        for action in ("hold", "retry", "cancel")
    ]
    again = world.client.post("/v1/outbox/retry", json={**chosen, "history": True})
    assert again.json()["changed"] == 0, "they were cancelled"
    again = world.client.post("/v1/outbox/retry", json={**chosen, "state": ["CANCELLED"]})
    assert again.json()["changed"] == 3


def test_what_is_being_sent_is_left_alone_and_told(world: World, domain: str) -> None:
    mail, waits = world.queue(f"ann@{domain}"), world.queue(f"bob@{domain}")
    lease_of(world.store, mail, SystemClock().now() + timedelta(seconds=1))
    answer = world.client.post("/v1/outbox/cancel", json={"recipient": f"@{domain}"})
    assert answer.json() == {"changed": 1, "being_sent": 1, "woken": []}
    assert (state(world, mail), state(world, waits)) == (OutboundState.SENDING, OutboundState.CANCELLED)


@pytest.mark.parametrize(
    "body", [{}, {"recipient": ""}, {"state": [], "history": None}, {"limit": 3}, {"state": "FAILED"}, [], {"since": 5}]
)
def test_all_mails_are_never_changed_by_a_body_that_says_nothing(world: World, body: object) -> None:
    mail = world.queue()
    assert world.client.post("/v1/outbox/cancel", json=body).status_code == 422
    assert state(world, mail) is OutboundState.QUEUED


def test_one_mail_is_told_with_its_tries_and_what_to_do(world: World) -> None:
    mail = world.queue("ann@full.example")
    now = SystemClock().now() + timedelta(seconds=1)
    answered(world.store, lease_of(world.store, mail, now), 552, at=now, text="5.2.2 mailbox full")
    told = world.client.get(f"/v1/outbox/{mail.id}").json()
    assert told["cause"] == "mailbox-full"
    assert told["explanation"]
    assert told["remedy"]
    assert (told["subject"], told["from"]) == (told["subject"], "ann@example.com")
    assert told["subject"].startswith("Answer ")
    assert (told["interactive"], told["deferrals"]) == (False, 0)
    (one,) = told["log"]
    assert (one["number"], one["times"], one["way_out"], one["last"]) == (1, 1, "smtp-client", None)
    assert one["answers"] == [
        {
            "address": "ann@full.example",
            "state": "FAILED",
            "code": "552",
            "status": "5.2.2",
            "text": "5.2.2 mailbox full",
        }
    ]

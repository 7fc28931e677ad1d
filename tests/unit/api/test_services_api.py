"""The business services and the mailboxes over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from emaild.api.problems import Problem
from emaild.api.service_texts import schema_of, texts_of
from emaild.message import InteractionState
from emaild.services.documentation import described
from emaild.services.faults import FaultKind
from emaild.settings.service_parameters import names_of
from emaild.settings.services import SERVICES
from tests.said import Said
from tests.unit.api.conftest import World

NOTICE = {"To": "lead@example.net", "Subject": "Look", "Text": "Order <$Order$>", "FieldCodes": {"Order": 4711}}


def called(world: World, method: str, body: Any, **headers: str) -> httpx.Response:
    return world.client.post(f"/v1/services/{method}", json=body, headers=headers)


@pytest.mark.parametrize("method", ["CreateNotification", "createnotification", "Notify"])
def test_a_service_is_called_by_its_name_an_alias_or_another_spelling(world: World, method: str) -> None:
    answer = called(world, method, NOTICE)
    assert answer.status_code == 200, answer.text
    document = answer.json()
    assert (document["method"], document["queue"]) == ("CreateNotification", "send")
    entry, _ = world.store.outbox.get(document["outbox_id"])
    assert b"Order 4711" in world.store.outbox.raw(entry)


def test_the_same_call_is_done_once(world: World) -> None:
    first, again = (called(world, "Notify", NOTICE, **{"Idempotency-Key": "call-1"}) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    other = called(world, "Notify", {**NOTICE, "Subject": "x"}, **{"Idempotency-Key": "call-1"})
    assert (other.status_code, other.json()["type"]) == (409, "/problems/key-used")


def test_a_mail_in_a_queue_is_sent_once(world: World) -> None:
    queued = called(world, "CreateEmailOut", {**NOTICE, "Queue": "review"}).json()
    assert queued["outbox_id"] is None
    first, again = (called(world, "Send", {"InteractionId": queued["interaction_id"]}) for _ in range(2))
    assert first.json()["outbox_id"] == queued["interaction_id"]
    assert (again.status_code, again.json()["type"]) == (409, "/problems/already-sent")
    assert world.store.interactions.get(queued["interaction_id"]).state is InteractionState.STOPPED


@pytest.mark.parametrize(
    ("method", "body", "status", "kind"),
    [
        ("Nothing", {}, 404, "unknown-method"),
        ("Send", {"InteractionId": "0000000000000000"}, 404, "interaction-gone"),
        ("Notify", {**NOTICE, "Totally": "x"}, 422, "wrong-parameter"),
        ("Notify", {**NOTICE, "To": "nobody"}, 422, "wrong-address"),
        ("Notify", {**NOTICE, "SrlId": "../../etc/passwd"}, 422, "response-wrong"),
        ("Notify", {**NOTICE, "Headers": {"X-A": "1\r\nX-Evil: 1"}}, 422, "forbidden-header"),
        ("Notify", {**NOTICE, "Headers": {"X-A": {"deep": 1}}}, 422, "wrong-request"),
        ("Notify", {**NOTICE, "To": [["a@b.example"]]}, 422, "wrong-request"),
        ("Notify", [], 422, "wrong-request"),
        ("ChatTranscript", {"Chat": "<no", "To": "a@b.c", "SrlId": "chat-transcript"}, 422, "transcript-unreadable"),
        ("%00", {}, 404, "unknown-method"),
    ],
)  # fmt: skip
def test_a_fault_of_a_service_is_a_problem_of_its_kind(
    world: World, method: str, body: Any, status: int, kind: str
) -> None:
    answer = called(world, method, body)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{kind}"), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_parameter_that_is_wrong_is_named(world: World) -> None:
    assert called(world, "Notify", {**NOTICE, "Totally": "x"}).json()["parameter"] == "Totally"


def test_values_become_the_texts_that_conf_files_have() -> None:
    given = {"A": "x", "B": True, "C": False, "D": 5, "E": 1.5, "F": ["a", "b"], "G": None, "H": {"x": 1, "y": None}}
    texts = {"A": "x", "B": "true", "C": "false", "D": "5", "E": "1.5", "F": "a, b", "H.x": "1"}
    assert texts_of(given) == texts
    wrong: Any
    for wrong in ([], "x", {"A": [["x"]]}, {"A": {"b": {}}}, {"A": [{}]}, {"A": [None]}):
        with pytest.raises(Problem):
            texts_of(wrong)


def test_all_services_are_listed_and_described(world: World) -> None:
    assert world.client.get("/v1/services").json() == {"services": described()}
    paths = world.client.get("/openapi.json").json()["paths"]
    for service in SERVICES:
        content = paths[f"/v1/services/{service.kind.name}"]["post"]["requestBody"]["content"]["application/json"]
        assert content["schema"] == schema_of(service)
        plain = {name.removesuffix(".NAME") for name in names_of(service)}
        assert set(content["schema"]["properties"]) == plain
        assert set(content["example"]) <= plain


def test_every_kind_of_fault_has_a_status(world: World) -> None:
    text = world.client.get("/openapi.json").json()["info"]["description"]
    assert all(f"`/problems/{kind}`" in text for kind in FaultKind)


def test_mailboxes_are_shown_and_read_when_asked(world: World, said: Said) -> None:
    answer = world.client.post("/v1/mailboxes/pop-client-sales/poll")
    assert (answer.status_code, answer.json()["name"]) == (202, "pop-client-sales")
    assert world.polled == ["pop-client-sales"]
    assert said.one("mailbox.poll_asked")["section"] == "pop-client-sales"
    assert world.client.get("/v1/mailboxes/pop-client-sales").json()["state"] == "waiting"
    resting = world.client.post("/v1/mailboxes/pop-client-resting/poll")
    assert (resting.status_code, resting.json()["type"]) == (409, "/problems/mailbox-rests")
    for path in ("/v1/mailboxes/nobody", "/v1/mailboxes/%00"):
        assert world.client.get(path).status_code == 404
        assert world.client.post(f"{path}/poll").status_code == 404

"""The OpenAPI document: complete, with examples, and true to what the documents for programs hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from emaild.api import examples, given, got
from emaild.api.problems import Kind
from tests.unit.api.conftest import World

SHOWN = [
    (examples.INTERACTION, got.InteractionGot),
    (examples.FULL_INTERACTION, got.FullInteractionGot),
    (examples.INTERACTIONS, got.InteractionsGot),
    (examples.CHANGE, given.InteractionChange),
    (examples.MAIL, given.MailGiven),
    (examples.MAIL_TAKEN, got.MailTakenGot),
    (examples.MAIL_OUT, got.MailOutGot),
    (examples.LOGGED_MAIL_OUT, got.LoggedMailOutGot),
    (examples.OUTBOX, got.OutboxGot),
    (examples.OUTBOX_CHOSEN, given.OutboxChosen),
    (examples.CHANGED, got.ChangedGot),
    (examples.MAILBOX, got.MailboxGot),
    (examples.MAILBOXES, got.MailboxesGot),
    (examples.SERVICE_DONE, got.ServiceDoneGot),
]


@pytest.fixture
def document(world: World) -> dict[str, Any]:
    found: dict[str, Any] = world.client.get("/openapi.json").json()
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        yield from ((f"{method} {path}", operation) for method, operation in methods.items())


@pytest.mark.parametrize(("example", "model"), SHOWN, ids=lambda value: getattr(value, "__name__", ""))
def test_an_example_is_what_its_schema_says(example: dict[str, Any], model: type[BaseModel]) -> None:
    assert set(model.model_validate(example).model_dump(by_alias=True)) >= set(example)


def test_every_operation_has_examples_and_tells_its_problems(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        assert operation["summary"], name
        answers = operation["responses"]
        assert {"400", "401", "422", "500", "503"} <= set(answers), name
        good = [content for status in answers if status < "3" for content in answers[status]["content"].values()]
        assert all("example" in one or one["schema"].get("format") == "binary" for one in good[:1]), name
        given = operation.get("requestBody", {"content": {}})["content"].values()
        assert all("example" in one for one in given), name
        parameters = [one for one in operation.get("parameters", ()) if one["in"] == "path"]
        assert all(one["schema"].get("examples") or one.get("examples") for one in parameters), name


def test_only_health_is_open(document: dict[str, Any]) -> None:
    free = {name for name, operation in operations(document) if operation.get("security") == []}
    assert document["security"] == [{"token": []}]
    assert free == {"get /healthz", "get /readyz"}


def test_references_lead_somewhere(document: dict[str, Any]) -> None:
    known = set(document["components"]["schemas"])

    def led(part: object) -> Iterator[str]:
        if isinstance(part, dict):
            if isinstance(part.get("$ref"), str):
                yield part["$ref"].removeprefix("#/components/schemas/")
            for one in part.values():
                yield from led(one)
        elif isinstance(part, list):
            for one in part:
                yield from led(one)

    assert set(led(document)) <= known


def test_every_problem_is_named(document: dict[str, Any]) -> None:
    assert all(f"`/problems/{kind.type}`" in document["info"]["description"] for kind in Kind)

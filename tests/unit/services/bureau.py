"""An office with a mailbox, a way out and a store: everything but the network is real."""

from __future__ import annotations

import email
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest

from emaild.message import Interaction
from emaild.services.call import call
from emaild.services.faults import FaultKind, ServiceFault
from emaild.services.office import Office
from emaild.settings.agent import AgentSection
from emaild.settings.way_out import WayOutSection
from emaild.store import Store
from tests.clock import START
from tests.reading import settings
from tests.samples import in_outbox
from tests.understanding import Desk, letter

WAY_OUT = WayOutSection(name="smtp-client", server="smtp.example")
LATER = START + timedelta(minutes=1)


class Bureau:
    """Mails come to support@shop.example, answers to forwards to experts@shop.example as well; services are called."""

    def __init__(
        self,
        store: Store,
        *,
        templates: Path | None = None,
        ways_out: tuple[WayOutSection, ...] = (WAY_OUT,),
        agents: tuple[AgentSection, ...] = (),
        box: dict[str, Any] | None = None,
        **processing: Any,
    ) -> None:
        self.store = store
        processing = {"fieldcode_format_locale": "en_US"} | processing
        self.desk = Desk(store, box=box, **processing)
        given = settings(self.desk.section, ways_out=ways_out, templates=templates, **processing)
        self.office = Office(
            settings=replace(given, agents={f"agent-{agent.name}": agent for agent in agents}), store=store
        )

    def comes(self, *words: str, **fields: Any) -> Interaction:
        """A mail in; `at` is when."""
        at = fields.pop("at", START)
        return self.desk.one(letter(*words, **fields), at=at)

    def call(self, method: str, about: Interaction | None = None, /, **given: str) -> dict[str, Any]:
        """The result of a service; `Headers__X_Y` is Headers.X-Y."""
        return dict(call(method, self.given(about, given), self.office, LATER))

    def fault(self, method: str, about: Interaction | None = None, /, **given: str) -> ServiceFault:
        """Why it is not done; nothing has changed then."""
        before = self.ids()
        with pytest.raises(ServiceFault) as refused:
            call(method, self.given(about, given), self.office, LATER)
        assert self.ids() == before
        assert "\n" not in str(refused.value)
        return refused.value

    def kind(self, method: str, about: Interaction | None = None, /, **given: str) -> FaultKind:
        """The kind of that fault."""
        return self.fault(method, about, **given).kind

    def given(self, about: Interaction | None, given: Mapping[str, str]) -> dict[str, str]:
        names = {name: name.replace("__", ".").replace("_", "-") if "__" in name else name for name in given}
        return ({"InteractionId": about.id} if about else {}) | {names[name]: text for name, text in given.items()}

    def ids(self) -> list[tuple[str, str]]:
        """All interactions with their states, and all in the outbox."""
        kept = [entry for kind in ("Inbound", "Outbound") for entry in self.store.interactions.all(type=kind)]
        queued = [(entry.id, "outbox") for entry in in_outbox(self.store)]
        return [*((entry.id, entry.state.value) for entry in kept), *queued]

    def made(self, result: Mapping[str, Any]) -> Interaction:
        """The interaction of a result."""
        return self.store.interactions.get(result["interaction_id"])

    def mail(self, result: Mapping[str, Any]) -> EmailMessage:
        """The mail of a result as the outbox, or its queue, has it; and that every server takes it."""
        return read(self.raw(result))

    def raw(self, result: Mapping[str, Any]) -> bytes:
        if result["outbox_id"]:
            return self.store.outbox.raw(self.store.outbox.get(result["outbox_id"])[0])
        return self.store.interactions.raw(self.made(result))

    def recipients(self, result: Mapping[str, Any]) -> list[str]:
        """The envelope's."""
        return [one.address for one in self.store.outbox.get(result["outbox_id"])[0].recipients]


def read(raw: bytes) -> EmailMessage:
    """A mail as Python's own library reads it."""
    mail = email.message_from_bytes(raw, policy=SMTP)
    assert not mail.defects
    return mail


def body(mail: EmailMessage, kind: str = "plain") -> str:
    """The text, or with `html` the HTML, without the last line end."""
    part = mail.get_body((kind,))
    assert part is not None, f"there is no {kind} part"
    return str(part.get_content()).replace("\r\n", "\n").removesuffix("\n")

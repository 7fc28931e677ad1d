"""What a service works with, and what it makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from emaild.errors import NotFound
from emaild.jobs.texts import with_texts
from emaild.jobs.understand import own_addresses
from emaild.message import Interaction
from emaild.services.faults import FaultKind, ServiceFault
from emaild.settings.load import Settings
from emaild.settings.properties import MimeProperties, SessionProperties
from emaild.settings.routes import SELF, Caller
from emaild.store import Store
from emaild.store.writes import Writes

LONGEST_SHOWN = 40  # characters of a wrong id


@dataclass(frozen=True, kw_only=True)
class Office:
    """What a service works with."""

    settings: Settings
    store: Store
    caller: Caller = SELF

    @property
    def folders(self) -> tuple[Path, ...]:
        """Where templates are looked for: the operator's, then those that emaild comes with."""
        return self.settings.emaild.template_folders

    @property
    def own_addresses(self) -> frozenset[str]:
        """Those of our mailboxes, in lower case."""
        return own_addresses(self.settings.mailboxes.values())

    def interaction(self, name: str) -> Interaction:
        """The interaction with that id, without its texts.

        Raises:
            ServiceFault: interaction-gone.
        """
        try:
            return self.store.interactions.get(name.strip())
        except NotFound:
            raise _gone(f"{name[:LONGEST_SHOWN]}{'...' if len(name) > LONGEST_SHOWN else ''}") from None

    def has(self, name: str | None) -> bool:
        """Whether that interaction is still there."""
        try:
            self.store.interactions.get(name or "")
        except NotFound:
            return False
        return True

    def mail_in(self, name: str, service: str) -> Interaction:
        """The mail in with that id, with its texts, which *service* cannot do without.

        Raises:
            ServiceFault: no id is given, there is no such interaction, or it is a mail of ours.
        """
        if not name:
            raise ServiceFault(
                FaultKind.WRONG_PARAMETER, f"{service} needs InteractionId, the mail that it works on", "InteractionId"
            )
        entry = self.interaction(name)
        if entry.out:
            raise ServiceFault(
                FaultKind.WRONG_INTERACTION, f"the interaction {entry.id} is {entry.subtype}; expected a mail in"
            )
        return self.with_texts(entry)

    def with_texts(self, entry: Interaction) -> Interaction:
        """With its texts and header.

        Raises:
            ServiceFault: it is gone.
        """
        try:
            return with_texts(self.store, self.settings, entry)
        except NotFound:
            raise _gone(entry.id) from None

    def raw(self, entry: Interaction) -> bytes:
        """Its bytes.

        Raises:
            ServiceFault: it is gone.
        """
        try:
            return self.store.interactions.raw(entry)
        except NotFound:
            raise _gone(entry.id) from None

    def reading(self, entry: Interaction) -> MimeProperties:
        """How the mails of its mailbox are read."""
        section = self.settings.mailboxes.get(entry.mailbox)
        return section.mime if section else MimeProperties()

    def session(self, entry: Interaction) -> SessionProperties:
        """The properties of its mailbox that belong to no protocol."""
        section = self.settings.mailboxes.get(entry.mailbox)
        return section.session if section else SessionProperties()


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a service does once it is committed.

    `result` is the document that answers the call: method, interaction_id, outbox_id, queue, subtype, message_id,
    thread_id and parent_id, None where there is none. `say` logs that it is done, after the commit. The first of
    `writes.needs`, if there is one, is the interaction that the service was called for.
    """

    writes: Writes
    result: Mapping[str, object]
    say: Callable[[], None]


def _gone(name: str) -> ServiceFault:
    return ServiceFault(FaultKind.INTERACTION_GONE, f"there is no interaction {name}", "InteractionId")

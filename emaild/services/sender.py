"""In whose name a mail goes out, and by which way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from emaild.errors import InputError
from emaild.jobs.understand import address_of
from emaild.message import Interaction
from emaild.render.compose import author_of
from emaild.render.people import mailboxes
from emaild.services.faults import FaultKind, ServiceFault
from emaild.services.office import Office
from emaild.services.people import LONGEST_ADDRESS
from emaild.settings.properties import MimeProperties
from emaild.settings.routes import Wanted
from emaild.settings.way_out import WayOutSection


@dataclass(frozen=True)
class Sender:
    """Name and address as they are given, the bare address, and the way out."""

    shown: str
    address: str
    way: WayOutSection

    @property
    def writing(self) -> MimeProperties:
        """How mails that take the way are written."""
        return self.way.mime


def sender_of(given: str, response: str, about: Interaction | None, office: Office) -> Sender:
    """The first that is there: From, the standard response's, that of the mailbox that the mail came to,
    default-from-address.

    Raises:
        ServiceFault: no-sender, wrong-address, no-way-out.
    """
    for parameter, text in _candidates(given, response, about, office):
        try:
            if len(text) > LONGEST_ADDRESS:
                raise ValueError
            address = author_of(text)
            way = way_of(address, (about.queue,) if about else (), office)
            (one,) = mailboxes([text], parameter, way.mime)
        except (InputError, ValueError):
            wrong = f"{parameter}: {text[:LONGEST_ADDRESS]!r} is not one e-mail address; expected name@domain"
            raise ServiceFault(FaultKind.WRONG_ADDRESS, wrong, parameter) from None
        return Sender(text, one.address, way)
    raise ServiceFault(FaultKind.NO_SENDER, "there is no sender; give From, or set default-from-address", "From")


def way_of(address: str, queues: tuple[str, ...], office: Office) -> WayOutSection:
    """The way that a mail takes from this address, and of these queues; see `Wanted`.

    Raises:
        ServiceFault: no-way-out.
    """
    way = office.settings.way_out_for(Wanted(sender=address, queues=queues, caller=office.caller))
    if way is None:
        raise ServiceFault(FaultKind.NO_WAY_OUT, "there is no way out; add an [smtp-client] section with a server")
    return way


def _candidates(given: str, response: str, about: Interaction | None, office: Office) -> Iterator[tuple[str, str]]:
    """All that could be the sender, each with the parameter or option that says it."""
    section = office.settings.mailboxes.get(about.mailbox) if about else None
    own = address_of(section) if section else ""
    candidates = (
        ("From", given),
        ("SrlId", response),
        ("From", own if "@" in own else ""),
        ("default-from-address", office.settings.processing.default_from_address),
    )
    yield from ((parameter, text) for parameter, text in candidates if text.strip())

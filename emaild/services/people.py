"""Whom a mail goes to."""

from __future__ import annotations

from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass, replace

from emaild.errors import InputError
from emaild.message import Facts
from emaild.render.fields import UNPRINTABLE, quoted
from emaild.render.people import Mailbox, mailboxes
from emaild.services.faults import FaultKind, ServiceFault
from emaild.settings.properties import MimeProperties, SessionProperties
from emaild.settings.services import MailParameters

LONGEST_LIST = 10_000  # characters of To, of Cc, of Bcc; the library takes quadratic time
LONGEST_ADDRESS = 500  # characters of one, with its name
MOST = 100  # people whom one mail of somebody else makes us write to
MOST_WRITERS = 5  # whom one mail says that answers go to
LONGEST_NAME = 100  # characters of such a person's name


@dataclass(frozen=True, kw_only=True)
class People:
    """The recipients of a mail."""

    to: tuple[Mailbox, ...] = ()
    cc: tuple[Mailbox, ...] = ()
    bcc: tuple[Mailbox, ...] = ()

    def without(self, left_out: Set[str]) -> People:
        """Without those addresses, and @domains, in lower case; and nobody twice.

        Raises:
            ServiceFault: no-recipient; nobody is left.
        """
        met: set[str] = set()
        left = replace(
            self,
            to=_fresh(self.to, met, left_out),
            cc=_fresh(self.cc, met, left_out),
            bcc=_fresh(self.bcc, met, left_out),
        )
        if not met:
            raise ServiceFault(FaultKind.NO_RECIPIENT, "nobody is left whom the mail could go to", "To")
        return left


def people_of(
    parameters: MailParameters, writing: MimeProperties, *, others: People | None = None, never: Collection[str] = ()
) -> People:
    """Those whom the caller names; *others* in the place of To where he names none there, and beside Cc.

    ExcludeEmailAddresses are left out, and those of *never*, in lower case.

    Raises:
        ServiceFault: wrong-address, no-recipient.
    """
    given = People(
        to=_named(parameters.to, "To", writing),
        cc=_named(parameters.cc, "Cc", writing),
        bcc=_named(parameters.bcc, "Bcc", writing),
    )
    if others is not None and not given.to:
        given = replace(given, to=others.to, cc=(*given.cc, *others.cc))
    if not (given.to or given.cc or given.bcc):
        raise ServiceFault(FaultKind.NO_RECIPIENT, "there is no recipient; give To", "To")
    return given.without({*never, *(address.lower() for address in parameters.exclude_email_addresses)})


def writer_of(said: Facts, never: Collection[str] = ()) -> tuple[Mailbox, ...]:
    """Whom an answer to that mail goes to: Reply-To, else From (RFC 5322 §3.6.2), but for those of *never*.

    They are few, whatever it says: nobody makes us write to many by one mail.
    """
    replied = [one for one in usable(said.reply_to) if one.address.lower() not in never]
    if replied:
        return tuple(replied[:MOST_WRITERS])
    name = " ".join(UNPRINTABLE.sub(" ", said.sender_personal).split())[:LONGEST_NAME]
    return usable([f"{quoted(name)} <{said.sender}>"] if name else []) or usable([said.sender])


def all_of(said: Facts, session: SessionProperties, own: Collection[str]) -> People:
    """Whom an answer to all goes to, as JavaMail's reply(true) has it: nobody of *own*, nobody twice.

    mail.alternates are our further addresses; mail.replyallcc puts all but the writer into Cc.
    """
    writer, to, cc = writer_of(said, own)[:1], usable(said.to), usable(said.cc)
    everybody = People(to=writer, cc=(*to, *cc)) if session.replyallcc else People(to=(*writer, *to), cc=cc)
    return everybody.without({*own, *(address.lower() for address in session.alternates)})


def _named(text: str, parameter: str, writing: MimeProperties) -> tuple[Mailbox, ...]:
    if not text.strip():
        return ()
    if len(text) > LONGEST_LIST:
        wrong = f"{parameter}: it has {len(text)} characters; {LONGEST_LIST} are allowed"
        raise ServiceFault(FaultKind.WRONG_ADDRESS, wrong, parameter)
    try:
        return mailboxes([text], parameter, writing)
    except InputError as error:
        raise ServiceFault(FaultKind.WRONG_ADDRESS, str(error), parameter) from None


def usable(addresses: Sequence[str]) -> tuple[Mailbox, ...]:
    """Of somebody else's list those that are addresses, also once they are written as we write them."""
    found: list[Mailbox] = []
    for address in addresses[:MOST]:
        if not 0 < len(address) <= LONGEST_ADDRESS:
            continue
        try:
            written = [one.shown for one in mailboxes([address], "", MimeProperties())]
            found += mailboxes(written, "", MimeProperties())
        except InputError:
            continue
    return tuple(found)


def _fresh(people: Sequence[Mailbox], met: set[str], left_out: Set[str]) -> tuple[Mailbox, ...]:
    """Those who were not met before."""
    found = []
    for one in people:
        address = one.address.lower()
        domain = f"@{address.rpartition('@')[2]}"
        if address not in met and address not in left_out and domain not in left_out:
            met.add(address)
            found.append(one)
    return tuple(found)

"""A mail as a program gives it, in JSON or finished, -> a mail for the outbox."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from emaild.api.given import FinishedMailQuery, MailGiven
from emaild.api.problems import Kind, Problem
from emaild.errors import InputError
from emaild.jobs.outgoing import TooBig, outgoing
from emaild.message import Outbound
from emaild.render.compose import Composed, Draft, Enclosed, author_of, compose
from emaild.render.finished import adopt
from emaild.render.forbidden import Forbidden, forbidden_headers
from emaild.services.office import Office
from emaild.settings.routes import Wanted
from emaild.settings.way_out import WayOutSection


@dataclass(frozen=True)
class Writer:
    """Writes the mails that a program gives; all raise Problem where it is none that can be sent."""

    office: Office
    now: datetime

    def written(self, given: MailGiven) -> Outbound:
        """A mail of these words."""
        if not (given.to or given.cc or given.bcc):
            raise Problem(Kind.WRONG_MAIL, "expected a recipient in to, cc or bcc")
        processing = self.office.settings.processing
        try:
            way = self._way_out(given.way_out, author_of(given.from_))
            draft = Draft(
                sender=given.from_,
                to=tuple(given.to),
                cc=tuple(given.cc),
                bcc=tuple(given.bcc),
                subject=given.subject,
                text=given.text,
                html=given.html,
                headers=tuple(self._headers(given)),
                attachments=tuple(_files(given)),
            )
            mail = compose(
                draft,
                now=self.now,
                domain=processing.default_domain,
                writing=way.mime,
                charset=processing.outbound_msg_charset,
            )
            return self._out(mail, way)
        except InputError as error:
            raise _problem(error) from error

    def finished(self, raw: bytes, given: FinishedMailQuery) -> Outbound:
        """A mail that is bytes already."""
        domain = self.office.settings.processing.default_domain
        try:
            mail = adopt(raw, now=self.now, domain=domain, recipients=given.recipient)
            return self._out(mail, self._way_out(given.way_out, mail.sender))
        except InputError as error:
            raise _problem(error) from error

    def _out(self, mail: Composed, way: WayOutSection) -> Outbound:
        return outgoing(mail, way, self.office.settings.processing, self.now, self.office.caller)

    def _headers(self, given: MailGiven) -> Iterator[tuple[str, str]]:
        forbidden = forbidden_headers(self.office.folders) if given.headers else Forbidden()
        for name, value in given.headers.items():
            if wrong := forbidden.wrong_with(name, value):
                raise Problem(Kind.WRONG_MAIL, wrong)
            yield name, value
        if given.in_reply_to:
            yield "In-Reply-To", given.in_reply_to
            yield "References", given.in_reply_to

    def _way_out(self, name: str, sender: str) -> WayOutSection:
        settings = self.office.settings
        if name:
            known = {one.lower(): way for one, way in settings.ways_out.items()}
            way = known.get(name.lower())
            if way is None:
                raise Problem(
                    Kind.NO_WAY_OUT, f"no way out {name}; there are: {', '.join(settings.ways_out) or 'none'}"
                )
            return way
        way = settings.way_out_for(Wanted(sender=sender, caller=self.office.caller))
        if way is None:
            raise Problem(Kind.NO_WAY_OUT, "there is no way out; add an [smtp-client] section with a server")
        return way


def _problem(error: InputError) -> Problem:
    kind = Kind.MAIL_TOO_BIG if isinstance(error, TooBig) else Kind.WRONG_MAIL
    return Problem(kind, str(error).removeprefix("--"))


def _files(given: MailGiven) -> Iterator[Enclosed]:
    for number, file in enumerate(given.attachments):
        try:
            content = base64.b64decode(file.content, validate=True)
        except (binascii.Error, ValueError) as error:
            raise Problem(Kind.WRONG_REQUEST, f"attachments.{number}.content: expected base64, {error}") from error
        yield Enclosed(name=file.name, content=content, content_type=file.content_type)

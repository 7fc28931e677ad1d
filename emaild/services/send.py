"""Send: a mail out that lies in a queue goes into the outbox.

Source: the objects "Send E-mail" of Genesys's routing and of Composer; RFC 3461, RFC 8098.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import partial

from emaild.errors import InputError, NotFound
from emaild.message import TOKEN, Envelope, Interaction, InteractionState, Subtype
from emaild.render.compose import Composed, asked, with_subject
from emaild.services.faults import FaultKind, ServiceFault
from emaild.services.forward import marked
from emaild.services.mail import EXTERNAL_REPLY, closed, done, into_outbox
from emaild.services.office import Office, Plan
from emaild.services.scope import Surroundings, filled, locale_of, scope_of
from emaild.services.sender import way_of
from emaild.settings.properties import Notify
from emaild.settings.services import SEND, SendParameters
from emaild.settings.way_out import WayOutSection
from emaild.store.writes import Change, Writes

UNSENT = tuple(state for state in InteractionState if state is not InteractionState.STOPPED)
REPORTS = (Notify.SUCCESS.value, Notify.FAILURE.value, Notify.DELAY.value)


def plan(parameters: SendParameters, office: Office, now: datetime) -> Plan:
    """The mail's place in the outbox; see `services.call.planned`."""
    entry, envelope = _unsent(parameters.interaction_id, office)
    way = way_of(envelope.sender, _queues(entry, office), office)
    mail = Composed(
        sender=envelope.sender,
        recipients=envelope.recipients,
        message_id=entry.facts.message_id or "",
        raw=office.raw(entry),
    )
    mail = _subjected(mail, parameters, entry, way, office, now)
    if parameters.mdn:
        mail = asked(mail, envelope.sender)
    sent = into_outbox(mail, way, office, now, name=entry.id, thread_id=entry.thread_id)
    sent = replace(sent, subtype=entry.subtype, notify=REPORTS if parameters.dsn else ())
    changes = [Change(id=entry.id, queue=SEND, state=InteractionState.STOPPED, if_states=UNSENT)]
    if EXTERNAL_REPLY in entry.user_data and office.has(entry.parent_id):
        changes += closed(str(entry.parent_id), office)
    result = {
        "method": parameters.kind.name,
        "interaction_id": entry.id,
        "outbox_id": entry.id,
        "queue": SEND,
        "subtype": entry.subtype,
        "message_id": mail.message_id,
        "thread_id": entry.thread_id,
        "parent_id": entry.parent_id,
    }
    writes = Writes(queued=(sent,), changes=tuple(changes), needs=(entry.id,))
    return Plan(writes=writes, result=result, say=partial(done, result, entry))


def _unsent(name: str, office: Office) -> tuple[Interaction, Envelope]:
    if not name:
        raise ServiceFault(
            FaultKind.WRONG_PARAMETER, "Send needs InteractionId, the mail that is to go out", "InteractionId"
        )
    entry = office.interaction(name)
    if entry.envelope is None:
        raise ServiceFault(
            FaultKind.WRONG_INTERACTION, f"the interaction {entry.id} is {entry.subtype}; expected a mail out"
        )
    if entry.state not in UNSENT:
        raise ServiceFault(FaultKind.ALREADY_SENT, _already(entry, office))
    return entry, entry.envelope


def _queues(entry: Interaction, office: Office) -> tuple[str, ...]:
    """Its own, and that of the mail that it answers, which says by which way where the first is one for everybody."""
    answered = office.interaction(str(entry.parent_id)).queue if office.has(entry.parent_id) else ""
    return (entry.queue, answered)


def _already(entry: Interaction, office: Office) -> str:
    try:
        there, _ = office.store.outbox.get(entry.id)
    except NotFound:
        return f"the mail {entry.id} is STOPPED, so it was sent long ago, or is not to be sent"
    where = "history" if there.finished else "outbox"
    return f"the mail {entry.id} was given to the outbox already; in the {where} it is {there.state}"


def _subjected(
    mail: Composed, parameters: SendParameters, entry: Interaction, way: WayOutSection, office: Office, now: datetime
) -> Composed:
    """With the subject that is asked for; a forward keeps the mark by which its answer is found."""
    if not parameters.subject.strip():
        return mail
    scope = scope_of(entry, Surroundings(locale=locale_of("", office.settings)), office, now)
    subject = filled(parameters.subject, scope, "Subject")
    if entry.subtype == Subtype.OUTBOUND_FORWARD and entry.id not in TOKEN.findall(subject):
        subject = marked(subject, entry.id)
    try:
        return with_subject(mail, subject, way.mime, charset=office.settings.processing.outbound_msg_charset)
    except InputError as error:
        raise ServiceFault(FaultKind.WRONG_PARAMETER, str(error), "Subject") from None

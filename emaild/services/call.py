"""Calling a service: from a name and texts to what it changes, in one commit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from emaild.errors import Conflict
from emaild.log import events
from emaild.services import (
    acknowledge,
    auto_response,
    chat_transcript,
    create_email_out,
    create_notification,
    forward,
    redirect,
    reply_from_ext_resource,
    send,
)
from emaild.services.faults import FaultKind, ServiceFault
from emaild.services.office import Office, Plan
from emaild.settings.load import Settings
from emaild.settings.option import same_name
from emaild.settings.rule import Direction
from emaild.settings.service_parameters import WrongParameter, nearest, parameters_of, service_named
from emaild.settings.services import (
    SEND,
    SERVICES,
    AcknowledgeParameters,
    AutoResponseParameters,
    ChatTranscriptParameters,
    CreateEmailOutParameters,
    CreateNotificationParameters,
    ForwardParameters,
    RedirectParameters,
    ReplyFromExtResourceParameters,
    SendParameters,
    ServiceParameters,
)
from emaild.store.writes import Gone, Request, Writes

LONGEST_SHOWN = 100  # characters of a wrong name
MOST_GIVEN = 500  # parameters
PLANS: Mapping[type[ServiceParameters], Callable[[Any, Office, datetime], Plan]] = {
    SendParameters: send.plan,
    AcknowledgeParameters: acknowledge.plan,
    AutoResponseParameters: auto_response.plan,
    CreateNotificationParameters: create_notification.plan,
    CreateEmailOutParameters: create_email_out.plan,
    ForwardParameters: forward.plan,
    RedirectParameters: redirect.plan,
    ReplyFromExtResourceParameters: reply_from_ext_resource.plan,
    ChatTranscriptParameters: chat_transcript.plan,
}


def planned(method: str, given: Mapping[str, str], office: Office, now: datetime) -> Plan:
    """What a service would do; it reads only. *method* and the names in *given* may have any of their spellings.

    Raises:
        ServiceFault: it cannot be done.
    """
    service = service_named(method)
    if service is None:
        wanted = _shown(method)
        known = nearest(wanted, [known.kind.name for known in SERVICES])
        raise ServiceFault(FaultKind.UNKNOWN_METHOD, f"there is no service {wanted}{known}")
    if len(given) > MOST_GIVEN:
        raise ServiceFault(FaultKind.WRONG_PARAMETER, f"there are {len(given)} parameters; {MOST_GIVEN} are allowed")
    for name, text in given.items():
        if not _is_text(name + text):
            raise ServiceFault(FaultKind.WRONG_PARAMETER, f"{_shown(name)}: it is no Unicode text", _shown(name))
    try:
        parameters = parameters_of(service, given)
    except WrongParameter as wrong:
        name = _shown(wrong.name)
        raise ServiceFault(FaultKind.WRONG_PARAMETER, f"{name}: {wrong}", name) from None
    return PLANS[service](parameters, office, now)


def call(
    method: str, given: Mapping[str, str], office: Office, now: datetime, *, request: tuple[str, str] | None = None
) -> Mapping[str, object]:
    """Do it, and log it. *request* is the key of a request that may come again, and its digest: it is done once.

    Returns:
        the result document (`Plan.result`); of a request that came before, that of the first time.

    Raises:
        ServiceFault: it cannot be done; nothing is changed.
        Conflict: the key was used for another request.
    """
    if request is not None and (before := office.store.writing.answer(*request)) is not None:
        return before
    try:
        plan = planned(method, given, office, now)
        return _committed(plan, office, now, request)
    except ServiceFault as fault:
        interaction = next((text for name, text in given.items() if same_name(name) == "interactionid"), "")
        events.service_refused(
            method=_shown(method),
            interaction=_shown(interaction),
            fault=fault.kind.value,
            reason=str(fault),
        )
        raise


def fault_of(error: Gone | Conflict, writes: Writes) -> ServiceFault:
    """Why a plan could not be committed, said as services say it."""
    if isinstance(error, Conflict):
        return ServiceFault(FaultKind.ALREADY_SENT, str(error))
    called_for = error.id == next(iter(writes.needs), error.id)
    return ServiceFault(FaultKind.INTERACTION_GONE if called_for else FaultKind.PARENT_GONE, str(error))


def rules_for(writes: Writes, settings: Settings) -> bool:
    """Whether rules are to see new interactions before programs do: mails out that wait in a queue."""
    waiting = any(new.interaction.queue != SEND for new in writes.created)
    rules = (rule for rule in settings.rules.values() if rule.enable_rule)
    return waiting and any(rule.if_type is Direction.OUTBOUND for rule in rules)


def _committed(plan: Plan, office: Office, now: datetime, request: tuple[str, str] | None) -> Mapping[str, object]:
    asked = Request(key=request[0], digest=request[1], answer=plan.result) if request is not None else None
    writing = office.store.writing
    try:
        answer = writing.commit(plan.writes, now, asked=asked, rules=rules_for(plan.writes, office.settings))
    except (Gone, Conflict) as error:
        if request is not None and isinstance(error, Conflict):
            writing.answer(*request)  # another request with the same key may have been quicker
        raise fault_of(error, plan.writes) from None
    if answer is not None and answer is not plan.result:
        return answer
    plan.say()
    return plan.result


def _shown(text: str) -> str:
    """A text from outside, as a message repeats it."""
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text[:LONGEST_SHOWN])


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

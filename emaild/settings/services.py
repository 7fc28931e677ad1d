"""The business services: their names, and what each is told, as Genesys's strategies spell it.

A service is declared here once, as a section is: a frozen dataclass whose options are its parameters. Rules in conf
files, `emaild call`, HTTP and the README's table all go by these declarations.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar

from emaild.settings import parse
from emaild.settings.option import SectionKind, option, options, same_name

SEND = "send"
"""The built-in queue: a mail out that comes into it goes into the outbox in the same commit."""

GROUPS = {"FieldCodes": "field_codes", "Headers": "headers", "AttachedData": "attached_data"}
"""Parameters that hold names of the caller's own, given as FieldCodes.NAME and so on."""
GROUP_HELP = {
    "FieldCodes": "The value of the field code NAME; Contact.NAME and the like come before what the mail says.",
    "Headers": "A header field of that name for the mail, unless it is forbidden.",
    "AttachedData": "The new interaction's attached data under that key; field codes see them too.",
}

SPELLINGS = {
    "StandardResponse": "SrlId",
    "StandardResponseId": "SrlId",
    "OutputQueue": "Queue",
    "IncludeOriginalMessageIntoReply": "IncludeOriginalMessage",
    "UseSubjectFromStandardResponse": "UseSubjectFromSrl",
    "DeliveryStatusNotification": "Dsn",
    "MessageDispositionNotification": "Mdn",
    "FieldCode": "FieldCodes",
    "Header": "Headers",
    "UserData": "AttachedData",
}
"""Other names of parameters, of the blocks of Genesys Composer and of strategies."""

CALLERS_OWN = {
    "ResponseType": "call the service Acknowledge or AutoResponse instead",
    "ForwardType": "call the service Forward, Redirect or ReplyFromExtResource instead",
    "OutputResult": "the result is the answer of the call",
    "Detach": "a service does not move the interaction that it is called for; change that one's queue instead",
    "EmailServer": "emaild itself is the server",
    "Exceptions": "a fault is the answer of the call",
}
"""Properties of Composer's blocks that steer the caller, and what stands for them here."""

P = TypeVar("P", bound="ServiceParameters")


@dataclass(frozen=True, kw_only=True)
class ServiceParameters:
    """What every service is told."""

    kind: ClassVar[SectionKind]
    aliases: ClassVar[tuple[str, ...]] = ()

    interaction_id: str = option(
        parse.text,
        default="",
        name="InteractionId",
        help="The interaction that the service works on; in a rule the one that the rule fits.",
    )


@dataclass(frozen=True, kw_only=True)
class MailParameters(ServiceParameters):
    """What a service is told that makes a mail."""

    queue: str = option(
        parse.text,
        default=SEND,
        name="Queue",
        help=f"The queue that the new interaction comes into; {SEND}: it goes out at once.",
    )
    from_: str = option(
        parse.text,
        default="",
        name="From",
        help="The sender. Empty: the standard response's, the mailbox's that the answered mail came to, or"
        " default-from-address.",
    )
    to: str = option(parse.text, default="", name="To", help="The recipients, with commas between them.")
    cc: str = option(parse.text, default="", name="Cc", help="Further recipients.")
    bcc: str = option(parse.text, default="", name="Bcc", help="Recipients that the others do not see.")
    exclude_email_addresses: tuple[str, ...] = option(
        parse.words,
        default="",
        name="ExcludeEmailAddresses",
        help="Addresses, or @domains, that are taken out of To, Cc and Bcc.",
    )
    subject: str = option(
        parse.text, default="", name="Subject", help="The subject; field codes in it are filled. Empty: made by us."
    )
    do_not_thread: bool = option(
        parse.flag,
        default="false",
        name="DoNotThread",
        help="Whether the mail begins a thread of its own and names no mail that it answers.",
    )
    associate_new_interaction: bool = option(
        parse.flag,
        default="true",
        name="AssociateNewInteraction",
        help="Whether the new interaction is the child of the one that the service works on.",
    )
    agent: str = option(
        parse.text,
        default="",
        name="Agent",
        help="The [agent-NAME] whose names fill Agent.* in field codes. Empty: autobot-agent-login-name.",
    )
    field_codes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    attached_data: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, kw_only=True)
class TextParameters(MailParameters):
    """What a service is told that writes a text of its own."""

    srl_id: str = option(
        parse.text,
        default="",
        name="SrlId",
        help="The standard response: the name of its folder under templates/responses.",
    )
    text: str = option(
        parse.text,
        default="",
        name="Text",
        help="The text where SrlId is empty; field codes in it are filled.",
    )
    html: str = option(
        parse.text,
        default="",
        name="Html",
        help="The text as HTML, where SrlId is empty; field codes in it are filled.",
    )
    use_subject_from_srl: bool = option(
        parse.flag,
        default="true",
        name="UseSubjectFromSrl",
        help="Whether the standard response's subject is taken where Subject is empty.",
    )
    include_original_message: bool = option(
        parse.flag,
        default="false",
        name="IncludeOriginalMessage",
        help="Whether the mail that is answered is quoted below.",
    )
    locale: str = option(
        parse.text,
        default="",
        name="Locale",
        help="The locale, such as en_US, of dates and numbers. Empty: fieldcode-format-locale.",
    )


@dataclass(frozen=True, kw_only=True)
class SendParameters(ServiceParameters):
    """Send."""

    kind = SectionKind(name="Send", help="Puts a mail out that lies in a queue into the outbox.")
    aliases = ("SendEmail", "SendEmailOut")

    dsn: bool = option(
        parse.flag,
        default="false",
        name="Dsn",
        help="Whether servers are asked to report delivery, delay and failure (RFC 3461).",
    )
    mdn: bool = option(
        parse.flag, default="false", name="Mdn", help="Whether the recipient is asked for a read receipt (RFC 8098)."
    )
    subject: str = option(
        parse.text, default="", name="Subject", help="Another subject; field codes in it are filled. Empty: its own."
    )


@dataclass(frozen=True, kw_only=True)
class AcknowledgeParameters(TextParameters):
    """Acknowledge."""

    kind = SectionKind(
        name="Acknowledge",
        help="Tells the sender of a mail that it came. Never answers automatic mail.",
    )
    aliases = ("Acknowledgement", "CreateAcknowledgement", "AcknowledgeEmail")


@dataclass(frozen=True, kw_only=True)
class AutoResponseParameters(TextParameters):
    """AutoResponse."""

    kind = SectionKind(
        name="AutoResponse", help="Answers a mail without a person, the mail quoted. Never answers automatic mail."
    )
    aliases = ("CreateAutoResponse",)

    include_original_message: bool = option(
        parse.flag,
        default="true",
        name="IncludeOriginalMessage",
        help="Whether the mail that is answered is quoted below.",
    )
    reply_to_all: bool = option(
        parse.flag,
        default="false",
        name="ReplyToAll",
        help="Whether all who got the mail get the answer too; see mail.replyallcc and mail.alternates.",
    )


@dataclass(frozen=True, kw_only=True)
class CreateNotificationParameters(TextParameters):
    """CreateNotification."""

    kind = SectionKind(name="CreateNotification", help="Tells somebody, named by To, of an interaction of any medium.")
    aliases = ("Notification", "Notify")

    open_media: bool = option(
        parse.flag,
        default="false",
        name="OpenMedia",
        help="Whether InteractionId names an interaction of another server, which is not looked for here.",
    )


@dataclass(frozen=True, kw_only=True)
class CreateEmailOutParameters(TextParameters):
    """CreateEmailOut."""

    kind = SectionKind(name="CreateEmailOut", help="Writes a new mail to a customer or agent, named by To.")
    aliases = ("CreateEmail", "EmailOut")

    create_new_interaction: bool = option(
        parse.flag,
        default="true",
        name="CreateNewInteraction",
        help="Whether the mail becomes an interaction; false: it goes into the outbox only, so Queue must be send.",
    )


@dataclass(frozen=True, kw_only=True)
class ForwardParameters(TextParameters):
    """Forward."""

    kind = SectionKind(
        name="Forward", help="Sends a mail with its files to an external resource, named by To, that is to answer us."
    )
    aliases = ("ForwardEmail", "ForwardToExtResource")

    include_original_message: bool = option(
        parse.flag,
        default="true",
        name="IncludeOriginalMessage",
        help="Whether the mail that is passed on is quoted below, its files attached.",
    )


@dataclass(frozen=True, kw_only=True)
class RedirectParameters(MailParameters):
    """Redirect."""

    kind = SectionKind(
        name="Redirect", help="Passes a mail on as it is, to somebody named by To who answers the customer himself."
    )
    aliases = ("RedirectEmail",)


@dataclass(frozen=True, kw_only=True)
class ReplyFromExtResourceParameters(TextParameters):
    """ReplyFromExtResource."""

    kind = SectionKind(
        name="ReplyFromExtResource",
        help="Makes of an external resource's answer a reply to the customer whose mail was forwarded to it.",
    )
    aliases = ("CreateReplyFromExtResource", "ResponseFromExtResource")


@dataclass(frozen=True, kw_only=True)
class ChatTranscriptParameters(TextParameters):
    """ChatTranscript."""

    kind = SectionKind(name="ChatTranscript", help="Sends the transcript of a chat to the customer who chatted.")
    aliases = ("CreateChatTranscript",)

    chat: str = option(
        parse.text, default=None, name="Chat", help="The transcript: the XML of a Genesys contact server."
    )


SERVICES: tuple[type[ServiceParameters], ...] = (
    SendParameters,
    AcknowledgeParameters,
    AutoResponseParameters,
    CreateNotificationParameters,
    CreateEmailOutParameters,
    ForwardParameters,
    RedirectParameters,
    ReplyFromExtResourceParameters,
    ChatTranscriptParameters,
)


class WrongParameter(ValueError):
    """A parameter that a service cannot be told; `name` is as it was given, the text what is wrong with it."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(problem)
        self.name = name


def service_named(name: str) -> type[ServiceParameters] | None:
    """The service of that name, an alias, or another spelling of one; None where there is none."""
    wanted = same_name(name)
    for service in SERVICES:
        if wanted in map(same_name, (service.kind.name, *service.aliases)):
            return service
    return None


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean X?` where a known name is near, else what there is."""
    by_spelling = {same_name(one): one for one in known}
    near = difflib.get_close_matches(same_name(name), by_spelling, n=1, cutoff=0.6)
    return f"; did you mean {by_spelling[near[0]]}?" if near else f"; there are {', '.join(by_spelling.values())}"


def names_of(service: type[ServiceParameters]) -> tuple[str, ...]:
    """The parameters of a service, as they are documented."""
    grouped = [f"{group}.NAME" for group, name in GROUPS.items() if name in service.__dataclass_fields__]
    return (*(one.name for one in options(service)), *grouped)


def given_as(parameters: Mapping[str, str], name: str) -> tuple[str, str] | None:
    """A parameter's name as it is spelled there, and its text; None where it is not given."""
    return next((one for one in parameters.items() if _spelled(one[0]) == same_name(name)), None)


def in_group(name: str, group: str) -> bool:
    """Whether a name before a dot is that of the group, in any spelling."""
    return _spelled(name) == same_name(group)


def wrong_parameters(
    service: type[ServiceParameters], given: Mapping[str, str], *, interaction: bool
) -> Iterator[WrongParameter]:
    """All that is wrong with what a service is told. With *interaction* InteractionId is known without being given."""
    values, wrong = _read(service, given)
    yield from wrong
    for one in options(service):
        if (
            one.required
            and one.field not in values
            and not any(same_name(fault.name) == same_name(one.name) for fault in wrong)
        ):
            yield WrongParameter(one.name, f"it is missing; expected {one.parser.expects}")
    if interaction and "interaction_id" in values:
        yield WrongParameter("InteractionId", "a rule works on the interaction that it fits; leave it out")


def parameters_of(service: type[P], given: Mapping[str, str]) -> P:
    """What a service is told, by name in any spelling.

    Raises:
        WrongParameter: the first of `wrong_parameters`.
    """
    for wrong in wrong_parameters(service, given, interaction=False):
        raise wrong
    return service(**_read(service, given)[0])


def _read(service: type[ServiceParameters], given: Mapping[str, str]) -> tuple[dict[str, Any], list[WrongParameter]]:
    declared = {same_name(one.name): one for one in options(service)}
    values: dict[str, Any] = {}
    groups: dict[str, dict[str, str]] = {}
    wrong: list[WrongParameter] = []
    for name, text in given.items():
        start, dot, own = name.partition(".")
        group = _group(service, start) if dot and own.strip() else None
        if group is not None:
            groups.setdefault(group, {})[own.strip()] = text
            continue
        one = declared.get(_spelled(name))
        if one is None:
            wrong.append(WrongParameter(name, _unknown(service, name)))
        elif one.field in values:
            wrong.append(WrongParameter(name, f"{one.name} is given twice"))
        else:
            try:
                values[one.field] = one.parser.read(text)
            except ValueError as error:
                reason = f" ({error})" if str(error) else ""
                wrong.append(
                    WrongParameter(name, f"expected {one.parser.expects}, found {parse.repeated(text)}{reason}")
                )
    return {**values, **{group: MappingProxyType(own) for group, own in groups.items()}}, wrong


def _group(service: type[ServiceParameters], start: str) -> str | None:
    by_spelling = {same_name(group): name for group, name in GROUPS.items()}
    found = by_spelling.get(_spelled(start))
    return found if found in service.__dataclass_fields__ else None


def _spelled(name: str) -> str:
    """A name's own spelling, spaces left out as Composer's labels have them, other names as the one that counts."""
    by_spelling = {same_name(other): same_name(own) for other, own in SPELLINGS.items()}
    plain = same_name(name.replace(" ", ""))
    return by_spelling.get(plain, plain)


def _unknown(service: type[ServiceParameters], name: str) -> str:
    for own, instead in CALLERS_OWN.items():
        if _spelled(name) == same_name(own):
            return f"it is no parameter here: {instead}"
    if _spelled(name) in map(same_name, GROUPS):
        return f"it holds names of your own; expected {name}.NAME"
    return f"{service.kind.name} has no such parameter{nearest(name, names_of(service))}"

"""The business services: their names, and what each is told, as Genesys's strategies spell it.

A service is declared here once, as a section is: a frozen dataclass whose options are its parameters. Rules in conf
files, `emaild call`, HTTP and the README's table all go by these declarations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar

from emaild.settings import parse
from emaild.settings.option import SectionKind, option

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

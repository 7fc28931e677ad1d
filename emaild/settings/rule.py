"""`[rule-NAME]`: what becomes of an interaction without a program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import ClassVar

from emaild.message import INBOUND, OUTBOUND, InteractionState, Subtype
from emaild.settings import parse
from emaild.settings.option import Family, SectionKind, option, same_name
from emaild.settings.service_parameters import given_as, nearest, service_named, wrong_parameters
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
    SendParameters,
    ServiceParameters,
)

TO_OTHERS = (CreateNotificationParameters, CreateEmailOutParameters, ForwardParameters, RedirectParameters)
"""The services that write to somebody whom only To can name."""

WORDED = (
    AcknowledgeParameters,
    AutoResponseParameters,
    CreateNotificationParameters,
    CreateEmailOutParameters,
)
"""The services whose mail has no words but those that they are given."""


class Direction(StrEnum):
    """Which way a mail goes."""

    INBOUND = INBOUND
    OUTBOUND = OUTBOUND


@dataclass(frozen=True, kw_only=True)
class RuleSection:
    """A rule. All conditions that are given must hold; an empty one always does."""

    kind: ClassVar[SectionKind] = SectionKind(
        name="rule",
        family=Family.ALWAYS_NAMED,
        help="What becomes of an interaction without a program. Of all rules, in the order of the conf files, the first"
        " counts whose conditions hold. Beside the options here stand the parameters of its service.",
    )
    others: ClassVar[str] = "parameters"
    """The field that takes the options which are not declared."""

    name: str = ""
    enable_rule: bool = option(parse.flag, default="true", help="Whether this rule counts; false rests it.")
    if_type: Direction = option(
        parse.one_of(Direction),
        default="Inbound",
        help="Whether it is for mails in, or for mails out in a queue.",
    )
    if_mailbox: tuple[str, ...] = option(
        parse.words, default="", help="The section of the mailbox that it came to, or the mailbox's address."
    )
    if_subtype: tuple[str, ...] = option(parse.words, default="", help="The subtype, such as InboundNew.")
    if_queue: tuple[str, ...] = option(
        parse.wildcards, default="", help="The queue; a * stands for any text, ? for one character, here and below."
    )
    if_sender: tuple[str, ...] = option(
        parse.wildcards, default="", help="The sender's address; @example.com is any of that domain."
    )
    if_recipient: tuple[str, ...] = option(parse.wildcards, default="", help="An address in To or Cc, or @domain.")
    if_subject: tuple[str, ...] = option(
        parse.wildcards, default="", help="The whole subject; *invoice* is any that holds the word."
    )
    if_header: tuple[str, ...] = option(
        parse.wildcards, default="", help="A field of the header, as NAME: PATTERN; one of several is enough."
    )
    if_automatic: bool | None = option(
        parse.optional(parse.flag), default="", help="Whether no person wrote it. Empty: either."
    )
    if_first_of_thread: bool | None = option(
        parse.optional(parse.flag), default="", help="Whether it begins a thread. Empty: either."
    )
    service: str = option(
        parse.text, default="", help="The service that is called for it; its parameters stand in the same section."
    )
    then_queue: str = option(parse.text, default="", help="The queue that the interaction itself goes into.")
    then_state: InteractionState | None = option(
        parse.optional(parse.one_of(InteractionState)), default="", help="The state that it has then; STOPPED ends it."
    )
    parameters: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def check(self) -> Iterator[tuple[str, str]]:
        """What does not fit together, as (option, what is wrong and what would be right)."""
        yield from self._wrong_conditions()
        if not (self.service or self.then_queue or self.then_state):
            yield "service", "the rule does nothing; expected a service, then-queue or then-state"
        if same_name(self.then_queue) == SEND:
            yield "then-queue", f"{SEND} is for mails out that a service makes; expected another queue"
        found = service_named(self.service) if self.service else None
        if found is not None:
            yield from self._wrong_service(found)
        elif self.service:
            known = [service.kind.name for service in SERVICES]
            yield "service", f"there is no service {self.service}{nearest(self.service, known)}"
        else:
            yield from ((name, "the rule calls no service whose parameter it could be") for name in self.parameters)

    def _wrong_conditions(self) -> Iterator[tuple[str, str]]:
        for wanted in self.if_header:
            name, _, pattern = wanted.partition(":")
            if not (name.strip() and pattern.strip()):
                yield "if-header", f"expected NAME: PATTERN, found {parse.repeated(wanted)}"
        subtypes = [subtype.value for subtype in Subtype if subtype.startswith(self.if_type)]
        for name in self.if_subtype:
            if name.lower() not in map(str.lower, subtypes):
                yield "if-subtype", f"{self.if_type} mails have no subtype {name}{nearest(name, subtypes)}"

    def _wrong_service(self, service: type[ServiceParameters]) -> Iterator[tuple[str, str]]:
        if service is ChatTranscriptParameters:
            yield "service", "a rule has no chat for ChatTranscript; a program calls it, over HTTP or by emaild call"
            return
        if (service is SendParameters) != (self.if_type is Direction.OUTBOUND):
            yield "service", "Send is for rules with if-type = Outbound, and those are for Send"
        if service is SendParameters:
            moves = (("then-queue", self.then_queue), ("then-state", self.then_state))
            yield from ((name, "Send itself moves the mail; leave it out") for name, value in moves if value)
        to = given_as(self.parameters, "To")
        if service in TO_OTHERS and not (to and to[1]):
            yield to[0] if to else "To", f"it is missing; expected the address that {service.kind.name} writes to"
        words = filter(None, (given_as(self.parameters, name) for name in ("SrlId", "Text", "Html")))
        if service in WORDED and not any(text for _, text in words):
            yield "SrlId", "it is missing; expected a standard response, or words in Text or Html"
        for wrong in wrong_parameters(service, self.parameters, interaction=True):
            yield wrong.name, str(wrong)


def counting(rules: Iterable[RuleSection], type: str) -> tuple[RuleSection, ...]:
    """The rules for interactions of that type, but for those that rest."""
    return tuple(rule for rule in rules if rule.enable_rule and rule.if_type == type)

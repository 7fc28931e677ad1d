"""What is wrong with rules beside their own lines: their standard responses, their field codes, the ways out.

And what only a reader of addresses can tell of a sender-override.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from emaild.errors import InputError
from emaild.jobs.understand import own_addresses
from emaild.render.field_codes import check
from emaild.render.field_codes.faults import Wrong
from emaild.render.field_codes.locales import locale
from emaild.render.field_codes.names import custom_names
from emaild.render.forbidden import forbidden_headers
from emaild.render.people import mailboxes
from emaild.render.response import ResponseWrong, load, saved_codes
from emaild.settings.api import ApiTokenSection
from emaild.settings.ini import Fault
from emaild.settings.load import Settings
from emaild.settings.properties import MimeProperties
from emaild.settings.rule import RuleSection
from emaild.settings.service_parameters import given_as, in_group
from emaild.settings.way_out import WayOutSection

FILLED = ("Subject", "Text", "Html")
"""The parameters whose field codes are filled."""
ADDRESSES = ("From", "To", "Cc", "Bcc")
HEADERS, FIELD_CODES = "Headers", "FieldCodes"


def faults(settings: Settings) -> Iterator[Fault]:
    """What keeps the mails of rules, or those with a sender-override, from being sent."""
    yield from _wrong_overrides(settings)
    folders = settings.emaild.template_folders
    codes = {name.lower() for name in saved_codes(folders)}
    for rule in settings.rules.values():
        for name, wrong in (
            *_wrong_response(rule, folders),
            *_wrong_codes(rule, codes),
            *_wrong_addresses(rule),
            *_wrong_headers(rule, folders),
            *_wrong_locale(rule),
        ):
            yield _fault(settings, rule, name, wrong)


def _wrong_overrides(settings: Settings) -> Iterator[Fault]:
    sections: list[WayOutSection | ApiTokenSection] = [*settings.ways_out.values(), *settings.api_tokens.values()]
    for section in sections:
        if wrong := _wrong_address(section.sender_override, "sender-override", MimeProperties()):
            yield Fault(settings.origins[section.name, "sender-override"], section.name, "sender-override", wrong)


def _wrong_response(rule: RuleSection, folders: tuple[Path, ...]) -> Iterator[tuple[str, str]]:
    """One line, whatever is wrong in a response that is there: the check of templates tells all of it."""
    response = given_as(rule.parameters, "SrlId")
    if response is not None and response[1]:
        try:
            load(response[1], folders)
        except ResponseWrong as wrong:
            yield response[0], str(wrong.faults[0] if wrong.faults else wrong)


def _wrong_codes(rule: RuleSection, saved: set[str]) -> Iterator[tuple[str, str]]:
    """Codes that no mail can fill. *saved*: the names of saved codes, in lower case."""
    known = saved | {name.lower() for name, _, _ in _group(rule, FIELD_CODES)}
    for name, text in filter(None, (given_as(rule.parameters, filled) for filled in FILLED)):
        errors = check(text)
        yield from ((name, str(error)) for error in errors)
        for unknown in dict.fromkeys(custom_names(text) if not errors else ()):
            if unknown.lower() not in known:
                wrong = f"{unknown} is unknown; expected a listed property, FieldCodes.{unknown} in this section, or a"
                yield name, f"{wrong} file field-codes/{unknown}.txt among the templates"


def _wrong_addresses(rule: RuleSection) -> Iterator[tuple[str, str]]:
    for name, text in filter(None, (given_as(rule.parameters, one) for one in ADDRESSES)):
        if wrong := _wrong_address(text, name, MimeProperties(address_strict=False)):
            yield name, wrong


def _wrong_address(text: str, name: str, writing: MimeProperties) -> str:
    """Empty where nothing is wrong with it."""
    try:
        mailboxes([text] if text.strip() else [], name, writing)
    except InputError as error:
        return str(error).removeprefix(f"{name}: ")
    return ""


def _wrong_headers(rule: RuleSection, folders: tuple[Path, ...]) -> Iterator[tuple[str, str]]:
    given = _group(rule, HEADERS)
    try:
        forbidden = forbidden_headers(folders) if given else None
    except InputError:
        return  # the check of templates tells of it
    for header, name, value in given:
        if forbidden is not None and (wrong := forbidden.wrong_with(header, value)):
            yield name, wrong


def _wrong_locale(rule: RuleSection) -> Iterator[tuple[str, str]]:
    given = given_as(rule.parameters, "Locale")
    try:
        if given is not None and given[1]:
            locale(given[1])
    except Wrong as wrong:
        yield given[0] if given else "Locale", str(wrong)


def _group(rule: RuleSection, group: str) -> list[tuple[str, str, str]]:
    """The caller's own names of a group, each with the option that gives it and its value."""
    return [
        (own, name, value)
        for name, value in rule.parameters.items()
        for start, dot, own in [name.partition(".")]
        if dot and in_group(start, group)
    ]


def warnings(settings: Settings) -> Iterator[Fault]:
    """Rules that count and cannot send what they make, or write to ourselves."""
    own = own_addresses(settings.mailboxes.values())
    for rule in settings.rules.values():
        for name, text in filter(None, (given_as(rule.parameters, one) for one in ADDRESSES[1:])):
            for address in own:
                if rule.enable_rule and address in text.lower():
                    wrong = f"{address} is a mailbox of ours: what comes there from ourselves is STOPPED"
                    yield _fault(settings, rule, name, f"{wrong}, unless enable-mail-loops is true")
        if rule.enable_rule and rule.service and not settings.ways_out:
            wrong = f"there is no way out, so that {rule.service} fails for every mail; add an [smtp-client] section"
            yield _fault(settings, rule, "service", wrong)


def _fault(settings: Settings, rule: RuleSection, option: str, message: str) -> Fault:
    return Fault(settings.origins[rule.name, option], rule.name, option, message)

"""What is wrong with rules beside their own lines: their standard responses, their field codes, the ways out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from emaild.render.field_codes import check
from emaild.render.response import ResponseWrong, load
from emaild.settings.ini import Fault
from emaild.settings.load import Settings
from emaild.settings.rule import RuleSection
from emaild.settings.services import given_as

FILLED = ("Subject", "Text", "Html")
"""The parameters whose field codes are filled."""


def faults(settings: Settings, folders: tuple[Path, ...]) -> Iterator[Fault]:
    """What keeps the mails of rules from being sent. *folders* are those of templates.

    What is wrong in a standard response that is there is told by the check of templates.
    """
    for rule in settings.rules.values():
        response = given_as(rule.parameters, "SrlId")
        if response is not None and response[1]:
            try:
                load(response[1], folders)
            except ResponseWrong as wrong:
                if not wrong.faults:
                    yield _fault(settings, rule, response[0], str(wrong))
        for name, text in filter(None, (given_as(rule.parameters, filled) for filled in FILLED)):
            yield from (_fault(settings, rule, name, str(error)) for error in check(text))


def warnings(settings: Settings) -> Iterator[Fault]:
    """Rules that count and cannot send what they make."""
    for rule in settings.rules.values():
        if rule.enable_rule and rule.service and not settings.ways_out:
            wrong = f"there is no way out, so that {rule.service} fails for every mail; add an [smtp-client] section"
            yield _fault(settings, rule, "service", wrong)


def _fault(settings: Settings, rule: RuleSection, option: str, message: str) -> Fault:
    return Fault(settings.origins[rule.name, option], rule.name, option, message)

"""Which rule fits an interaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property

from emaild.jobs.understand import address_of
from emaild.message import Interaction, InteractionState
from emaild.mime.words import words
from emaild.settings.load import Settings
from emaild.settings.rule import RuleSection, counting
from emaild.settings.wildcards import fits

Read = Callable[[Interaction], Interaction]
"""Gives an interaction with its texts and the fields of its header."""


def first_fit(
    rules: Iterable[RuleSection], entry: Interaction, settings: Settings, read: Read = lambda entry: entry
) -> RuleSection | None:
    """The first rule, in the order of the conf files, whose conditions all hold; None where there is none.

    *read* is asked only where a rule looks into the header. What was stopped as it came, a loop or a mail that is in
    the outbox already, fits no rule. Raises whatever *read* raises.
    """
    if entry.state is InteractionState.STOPPED:
        return None
    seen = _Seen(entry, settings, read)
    return next((rule for rule in counting(rules, entry.type) if seen.fits(rule)), None)


class _Seen:
    """An interaction as conditions look at it."""

    def __init__(self, entry: Interaction, settings: Settings, read: Read) -> None:
        self._entry = entry
        self._settings = settings
        self._read = read

    def fits(self, rule: RuleSection) -> bool:
        entry, said = self._entry, self._entry.facts
        asked = (
            (rule.if_mailbox, self._mailbox),
            (rule.if_subtype, (entry.subtype,)),
            (rule.if_queue, (entry.queue,)),
            (_addresses(rule.if_sender), (said.sender,)),
            (_addresses(rule.if_recipient), (*said.to, *said.cc)),
            (rule.if_subject, (said.subject,)),
        )
        return (
            all(not patterns or _any(patterns, texts) for patterns, texts in asked)
            and rule.if_automatic in (None, said.automatic is not None)
            and rule.if_first_of_thread in (None, entry.thread_id == entry.id)
            and (not rule.if_header or any(map(self._has_field, rule.if_header)))
        )

    @property
    def _mailbox(self) -> Iterator[str]:
        yield self._entry.mailbox
        section = self._settings.mailboxes.get(self._entry.mailbox)
        if section is not None:
            yield address_of(section)

    def _has_field(self, wanted: str) -> bool:
        name, _, pattern = wanted.partition(":")
        values = [value.strip() for field, value in self._header if field.lower() == name.strip().lower()]
        return _any((pattern.strip(),), [*values, *map(words, values)])

    @cached_property
    def _header(self) -> tuple[tuple[str, str], ...]:
        return self._read(self._entry).facts.headers


def _addresses(patterns: Iterable[str]) -> list[str]:
    """Patterns of addresses; @domain stands for any of that domain."""
    return [f"*{pattern}" if pattern.startswith("@") else pattern for pattern in patterns]


def _any(patterns: Iterable[str], texts: Iterable[str]) -> bool:
    return any(fits(pattern, text) for text in texts for pattern in patterns)

"""Which thread a mail belongs to, by what is known of other mails."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import islice

from emaild.jobs.batch import Known
from emaild.message import TOKEN, Facts
from emaild.settings.processing import ProcessingSection
from emaild.store.known import KnownMail

MOST_IDS = 50  # Message-IDs of one kind that are looked up
MOST_NAMES = 10  # ids of ours in a report that are looked up
LONGEST_SUBJECT = 500  # characters of it that are searched for our token and for texts
ID_IN_MESSAGE_ID = re.compile(r"<([0-9A-Z]{16})[.@]")
RAW_TOKEN = re.compile(TOKEN.pattern.encode())
ID = re.compile(r"[0-9A-Z]{16}")


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a mail belongs: its thread, and the mail that it answers or reports, where that is known.

    `parent_subtype` is that mail's, where it is one of ours.
    """

    thread_id: str
    parent_id: str | None = None
    parent_subtype: str | None = None


@dataclass(frozen=True)
class Threads:
    """Finds the threads of mails. *own* are our addresses, in lower case: they open a stranger's thread to nobody."""

    known: Known
    processing: ProcessingSection
    own: frozenset[str]

    def of_reply(
        self, said: Facts, referred: Mapping[str, KnownMail], matches: Collection[str], now: datetime
    ) -> Place | None:
        """The thread that a mail goes on with, None where it begins one. *referred*: the known mails by Message-ID.

        In-Reply-To, and References from the last to the first (RFC 5322 §3.6.4), are known only to those who have the
        mail. Our token, and a text of subject-threading-substrings, count only for somebody who wrote or got a mail of
        the thread: nobody writes into a stranger's.
        """
        for mail in _known(answered(said), referred):
            if self._open(mail.thread_id, now):
                return _below(mail)
        sender = said.sender.lower()
        if not sender or sender in self.own:
            return None
        names = TOKEN.findall(said.subject[:LONGEST_SUBJECT]) + _ids_in(answered(said))
        for mail in self._named(names):
            if self.known.takes_part(mail.thread_id, sender) and self._open(mail.thread_id, now):
                return _below(mail)
        threads = self.known.threads_by_subject(matches, sender) if matches else []
        return next((Place(thread_id=name) for name in threads if self._open(name, now)), None)

    def of_report(self, said: Facts, referred: Mapping[str, KnownMail], raw: bytes) -> Place | None:
        """The mail out that a report is about, however old; None where it is not known.

        It is told by its Message-ID, by the envelope id that it was sent with (RFC 3461 §4.4), or by an id of ours in
        what came back of it; where all that is missing, by what the report itself answers.
        """
        envelope_id = said.report.envelope_id if said.report else ""
        names = [*_ids(envelope_id), *_ids_in(about(said)), *_tokens_in(raw)]
        mails = [*_known(about(said), referred), *self._named(names), *_known(answered(said), referred)]
        return next((_below(mail) for mail in mails if mail.out), None)

    def _named(self, names: Sequence[str]) -> list[KnownMail]:
        return _known(names, self.known.by_id(names)) if names else []

    def _open(self, thread_id: str, now: datetime) -> bool:
        """Whether the thread still takes mail."""
        days = self.processing.thread_window
        last = self.known.last(thread_id) if days else None
        return last is None or now - last <= timedelta(days=days)


def answered(said: Facts) -> list[str]:
    """The Message-IDs of the mails that a mail answers, the nearest first."""
    nearest = [said.in_reply_to] if said.in_reply_to else []
    return [*nearest, *reversed(said.references[-MOST_IDS:])]


def about(said: Facts) -> list[str]:
    """The Message-IDs of the mails that a mail reports or encloses."""
    original = said.report.original_message_id if said.report else None
    return [*([original] if original else []), *said.enclosed_ids[:MOST_IDS]]


def subject_matches(subject: str, patterns: Sequence[str]) -> tuple[str, ...]:
    """What of a subject fits the patterns of subject-threading-substrings, in lower case.

    In a pattern `*` stands for some characters, `?` for one, neither of them white space; case does not matter.
    """
    found = (_expression(pattern).search(subject[:LONGEST_SUBJECT]) for pattern in patterns)
    return tuple(dict.fromkeys(match[0].lower() for match in found if match))


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    """Each `*` takes what it can up to the first place where the text behind it fits, and is not tried again."""
    first, *rest = (re.escape(text).replace(r"\?", r"\S") for text in re.split(r"\*+", pattern))
    later = "".join(rf"(?>\S+?{text})" if text else r"\S+" for text in rest)
    return re.compile(first + later, re.IGNORECASE)


def _known(names: Collection[str], mails: Mapping[str, KnownMail]) -> list[KnownMail]:
    return [mails[name] for name in names if name in mails]


def _below(mail: KnownMail) -> Place:
    return Place(thread_id=mail.thread_id, parent_id=mail.id, parent_subtype=mail.subtype)


def _tokens_in(raw: bytes) -> list[str]:
    return [found[1].decode("ascii") for found in islice(RAW_TOKEN.finditer(raw), MOST_NAMES)]


def _ids(text: str) -> list[str]:
    name = text.strip()
    return [name] if ID.fullmatch(name) else []


def _ids_in(message_ids: Collection[str]) -> list[str]:
    """Our ids in the local parts of Message-IDs."""
    return [found[1] for name in message_ids if (found := ID_IN_MESSAGE_ID.match(name))]

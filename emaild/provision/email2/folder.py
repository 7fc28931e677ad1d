"""Accounts as the files of conf.d hold them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from emaild.errors import Conflict
from emaild.provision.conf_files import Changes, ConfFiles, Content, NotTakenBack
from emaild.provision.email2.drafts import Account, RollBackFailed
from emaild.provision.email2.sections import MISSING, account_in, conf_text, conf_without, file_of, sections_of

READING = ("SERVICETYPE", "INSERVER", "AUTHNAME", "DOMAIN", "SYNCINGCONTENTTYPES")
"""The nodes that say which mailbox is read, and whether."""


class ConfFolder:
    """The accounts in conf.d while it is locked; the `Accounts` of a draft."""

    def __init__(self, files: ConfFiles) -> None:
        self._files = files
        self._known: dict[str, Account | None] = {}
        self.done: list[str] = []
        """What was kept, in lines for people."""

    def find(self, guid: str) -> Account | None:
        """The account as its file holds it, None where there is none. Raises InputError: it cannot be read."""
        if guid not in self._known:
            content = self._files.read(file_of(guid))
            self._known[guid] = account_in(content, guid) if content is not None else None
        return self._known[guid]

    def keep(self, changed: Mapping[str, Account | None]) -> None:
        """As `Accounts.keep`: the whole configuration is checked with the change before any of it is written."""
        before = {guid: self._files.read(file_of(guid)) for guid in changed}
        after = {file_of(guid): _content(guid, account, before[guid] or b"") for guid, account in changed.items()}
        new = [guid for guid, account in changed.items() if _reads(account) not in (None, _reads(self.find(guid)))]
        self._check_alone(new, after)
        try:
            settings = self._files.write(after)
        except NotTakenBack as error:
            raise RollBackFailed(str(error)) from error
        self.done += [_line(guid, account, before[guid]) for guid, account in changed.items()]
        own = {name for guid in changed for name in sections_of(guid, {})}
        self.done += [f"{warning} (warning)" for warning in settings.warnings if warning.section.lower() in own]
        self._known |= changed

    def _check_alone(self, guids: Collection[str], after: Changes) -> None:
        """Raises Conflict where one of these accounts would be a mailbox that another section reads, too."""
        if not guids:
            return
        boxes = self._files.check(after).read_mailboxes()
        names = [f"pop-client-email2-{guid}" for guid in guids]
        own = {boxes[name].account: name for name in names if name in boxes}
        for box in boxes.values():
            if own.get(box.account, box.name) != box.name:
                raise Conflict(f"[{own[box.account]}]: [{box.name}] reads that mailbox already; nothing was changed")


def _reads(account: Account | None) -> tuple[str | None, ...] | None:
    """What says which mailbox is read; None: none is."""
    return tuple(map(account.get, READING)) if account is not None and account.get("AUTHSECRET") else None


def _content(guid: str, account: Account | None, before: bytes) -> Content | None:
    text = conf_text(guid, account, before) if account is not None else conf_without(guid, before)
    return Content(text, secret=True) if text is not None else None


def _line(guid: str, account: Account | None, before: bytes | None) -> str:
    """What became of an account, and what it lacks."""
    if account is None:
        return f"{{{guid}}}: removed; the mails that it brought stay"
    lacks = [MISSING[name.partition("-email2-")[0]] for name, one in sections_of(guid, account).items() if one is None]
    return "; ".join([f"{{{guid}}}: {'changed' if before else 'set up'} in {file_of(guid)}", *lacks])

"""Accounts as the files of conf.d hold them."""

from __future__ import annotations

from collections.abc import Mapping

from emaild.errors import OperatorError
from emaild.provision.conf_files import ConfFiles, Content
from emaild.provision.email2.drafts import Account, RollBackFailed
from emaild.provision.email2.sections import MISSING, account_in, conf_text, conf_without, file_of, sections_of


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
        after = {guid: _content(guid, account, before[guid] or b"") for guid, account in changed.items()}
        try:
            settings = self._files.write({file_of(guid): content for guid, content in after.items()})
        except OperatorError as error:
            lost = [file_of(guid) for guid, content in before.items() if self._files.read(file_of(guid)) != content]
            if lost:
                wrong = f"{error}; not taken back: look at {', '.join(lost)} in {self._files.folder}"
                raise RollBackFailed(wrong) from error
            raise
        self.done += [_line(guid, account, before[guid]) for guid, account in changed.items()]
        own = {name for guid in changed for name in sections_of(guid, {})}
        self.done += [f"{warning} (warning)" for warning in settings.warnings if warning.section.lower() in own]
        self._known |= changed


def _content(guid: str, account: Account | None, before: bytes) -> Content | None:
    text = conf_text(guid, account, before) if account is not None else conf_without(guid, before)
    return Content(text, secret=True) if text is not None else None


def _line(guid: str, account: Account | None, before: bytes | None) -> str:
    """What became of an account, and what it lacks."""
    if account is None:
        return f"{{{guid}}}: removed; the mails that it brought stay"
    lacks = [MISSING[name.partition("-email2-")[0]] for name, one in sections_of(guid, account).items() if one is None]
    return "; ".join([f"{{{guid}}}: {'changed' if before else 'set up'} in {file_of(guid)}", *lacks])

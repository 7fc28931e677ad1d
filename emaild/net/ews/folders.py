"""Folders of an Exchange mailbox, by their path."""

from __future__ import annotations

from typing import Any

from emaild.errors import Rejected
from emaild.net.ews import asking
from emaild.net.ews.answers import T, refusal
from emaild.net.ews.exchange import Exchange

INBOX, ROOT, DRAFTS, OUTBOX, SENT = "inbox", "msgfolderroot", "drafts", "outbox", "sentitems"


def own(exchange: Exchange, name: str) -> Any:
    """A folder that every mailbox has, whatever it is called in the mailbox's language."""
    return asking.folder_by_name(name, exchange.delegate_for)


def found(exchange: Exchange, path: str, separator: str, *, make: bool = False) -> Any:
    """The folder as requests name it. A path begins at the top of the mailbox; its first level may be INBOX.

    Raises:
        RemoteError: it is not there, and is not to be made, or the server failed.
    """
    levels = [level for level in path.split(separator) if level]
    start = INBOX if not levels or levels[0].lower() == INBOX else ROOT
    here = own(exchange, start)
    below = levels[1:] if start == INBOX else levels
    if not below:
        folder = _only(exchange, asking.get_folder(here), f"open folder {path or 'INBOX'}")
        if folder is None:
            raise Rejected(exchange.where, f"open folder {path or 'INBOX'}", "the server does not say which it is")
        return folder
    for level in below:
        here = _below(exchange, here, level, path, make=make)
    return here


def _below(exchange: Exchange, parent: Any, name: str, path: str, *, make: bool) -> Any:
    action = f"open folder {path}"
    folder = _only(exchange, asking.find_folder(parent, name), action)
    if folder is None and make:
        wrong = refusal(exchange.first(asking.create_folder(parent, name), f"make folder {path}"))
        if wrong is not None and wrong.code != "ErrorFolderExists":
            raise exchange.meaning(wrong, f"make folder {path}")
        folder = _only(exchange, asking.find_folder(parent, name), action)
    if folder is None:
        raise Rejected(exchange.where, action, f"there is no folder {name}")
    return folder


def _only(exchange: Exchange, request: Any, action: str) -> Any:
    """The folder of the answer; None: it has none."""
    found_one = exchange.one(request, action).find(f".//{T}FolderId")
    name = None if found_one is None else found_one.get("Id")
    return asking.folder_by_id(name) if name else None

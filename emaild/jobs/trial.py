"""Trying a mailbox or a way out for real, step by step: nothing is taken, sent or changed there.

for step in trial(section, proxy=None, sealed=sealed, clock=clock):
    print(step)
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields, replace
from getpass import getuser
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from emaild.clock import Clock
from emaild.errors import Rejected, RemoteError
from emaild.jobs.adapters import source_for
from emaild.net import steps
from emaild.net.graph import Graph, failed
from emaild.net.oauth import Sealed, tokens_for
from emaild.net.peer import peer_of
from emaild.net.sign_in import SignIn
from emaild.settings.mailbox import AfterFetch, FirstFetch, MailboxSection, MailboxType
from emaild.settings.network import ProxySection
from emaild.settings.secret import Secret
from emaild.settings.server import ServerOptions
from emaild.settings.way_out import ServerType, WayOutSection
from emaild.sinks.smtp_sign_in import signed_in
from emaild.sources.graph_folder import folder_id

PATIENCE = 30.0  # seconds for a connection, and for an answer, where the section has more
FORBIDDEN = 403
IN_FOLDER = "is folder-path right? folder-separator stands between its levels"
REMEDIES = {
    "connect": "are server, port, the connection's security and [proxy] right?",
    "STARTTLS": "is port right, or would ssl-tls be?",
    "sign in": "may this user, or the application, use the mailbox, and is the protocol switched on for it?",
    "open folder": IN_FOLDER,
    "find folder": IN_FOLDER,
    "write": "is eml-directory right, and may emaild write to it (under systemd: ReadWritePaths=)?",
}
"""What to look at, by how the action that failed begins."""

S = TypeVar("S", MailboxSection, WayOutSection)


def trial(
    section: MailboxSection | WayOutSection, *, proxy: ProxySection | None, sealed: Sealed, clock: Clock
) -> Iterator[str]:
    """What works, in words: a step is told when it was taken; when there are no more, the section works.

    Raises:
        RemoteError: a step failed, and none comes after it; `remedy` says what to do.
    """
    if isinstance(section, MailboxSection):
        return _mailbox(patient(section), proxy, sealed, clock)
    return _way_out(patient(section), proxy, sealed, clock)


def remedy(error: RemoteError) -> str:
    """What a person can do about a step that failed; empty where its own words say all."""
    if error.temporary:
        return "it may pass by itself; the daemon tries on"
    found = (words for beginning, words in REMEDIES.items() if error.action.startswith(beginning))
    return next(found, "")


def patient(section: S) -> S:
    """The section as one that does not keep a person waiting for as long as the daemon may wait."""
    connecting, answering = min(section.connect_timeout, PATIENCE), min(section.protocol_timeout, PATIENCE)
    return replace(section, connect_timeout=connecting, protocol_timeout=answering)


def _mailbox(section: MailboxSection, proxy: ProxySection | None, sealed: Sealed, clock: Clock) -> Iterator[str]:
    tokens = tokens_for(section, proxy=proxy, clock=clock, sealed=sealed)
    if section.type is MailboxType.GRAPH and tokens is not None:
        path = section.folder.split(section.folder_separator)
        yield from _graph(Graph(section, proxy, tokens=tokens, clock=clock), path)
        return
    with closing(source_for(_untouched(section), proxy, tokens, clock)) as source:
        source.open()
        signed_in = f"{section.mailbox} is signed in at {section.server}"
        if section.type is MailboxType.EWS:  # whose source finds the folder when it is opened
            yield f"{signed_in}, and {section.folder} is open"
            return
        yield signed_in
        steps.begin("folder")
        held = source.look(None).held
        steps.tell(f"{section.folder} holds {held} {'mail' if held == 1 else 'mails'}")
        if section.type is MailboxType.POP3:
            steps.tell("UIDL tells them apart")
        yield f"{section.folder} is open; it holds {held} mails"


def _untouched(section: MailboxSection) -> MailboxSection:
    """The section as one that changes nothing, so that IMAP's EXAMINE is enough, and asks for no mail that is there."""
    return replace(
        section,
        after_fetch=AfterFetch.LEAVE,
        delete_big_msg=False,
        delete_bad_formatted_msg=False,
        first_fetch=FirstFetch.NEW,
        begin_date=None,
        download_days=None,
        imap=replace(section.imap, peek=True),
    )


def _way_out(section: WayOutSection, proxy: ProxySection | None, sealed: Sealed, clock: Clock) -> Iterator[str]:
    if section.server_type is ServerType.EML:
        yield _writable(section.eml_directory or Path())
        return
    if section.server_type is ServerType.EWS:
        yield from _mailbox(_sending_mailbox(section), proxy, sealed, clock)
        return
    tokens = tokens_for(section, proxy=proxy, clock=clock, sealed=sealed)
    if section.server_type is ServerType.GRAPH and tokens is not None:
        yield from _graph(Graph(section, proxy, tokens=tokens, clock=clock), ["drafts"], must_read=False)
        return
    sign_in = SignIn(tokens, clock, section.token_expiry_margin_time)
    sign_in.by(lambda token: signed_in(section, peer_of(section, proxy), token)).leave(wait=True)
    yield f"{section.user or 'nobody'} is signed in at {section.server}"


def _writable(folder: Path) -> str:
    """A folder for files; whether there is room in it a file alone would show."""
    steps.begin("folder")
    if not folder.is_dir():
        raise Rejected(str(folder), "write", "there is no such folder")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise Rejected(str(folder), "write", f"{getuser()} may not write to it")
    steps.tell(f"{folder} takes files")
    return f"{folder} takes files"


def _sending_mailbox(section: WayOutSection) -> MailboxSection:
    """The mailbox that sends by EWS."""
    shared = {one.name: getattr(section, one.name) for one in fields(ServerOptions)}
    user, password = section.user, section.password or Secret("")
    return MailboxSection(**shared, type=MailboxType.EWS, mailbox=user, password=password, session=section.session)


def _graph(graph: Graph, path: list[str], *, must_read: bool = True) -> Iterator[str]:
    with closing(graph):
        graph.open()
        yield f"{graph} is there, and a token for it"
        folder = quote(folder_id(graph, path), safe="")
        answer = graph.get(f"/mailFolders/{folder}/messages/delta?$select=id", "odata.maxpagesize=1")
        steps.begin("folder")
        steps.tell(f"{path[-1] or 'inbox'} of {graph.user}")
        if answer.good:
            yield f"{path[-1] or 'inbox'} of {graph.user} is open"
        elif answer.status == FORBIDDEN and not must_read:
            yield f"{graph.user} may not be read; whether it may send, and mails of any size, the first ones will show"
        else:
            raise failed(graph, answer, f"open folder {'/'.join(path)}")

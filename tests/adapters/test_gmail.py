"""What Gmail does and other servers do not: how many connections an account may have, and its refusals."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from emaild.errors import Busy, Rejected, RemoteError
from emaild.net.refusals import LONG, OverLimit
from emaild.settings.mailbox import AfterFetch, FirstFetch, MailboxSection, MailboxType
from emaild.settings.properties import ImapProperties
from emaild.settings.secret import Secret
from emaild.settings.server import Security
from emaild.sources import Source
from tests.adapters.scripts import Answer, ImapScript, Pop3Script, SmtpScript, says
from tests.adapters.turns import Sources, mail, turn
from tests.adapters.ways import Sinks, outbound
from tests.servers.authority import Authority
from tests.servers.scripted import Dialog, Scripted
from tests.servers.wait import eventually

ANN = "ann@example.com"
MOST_AT_ONCE, MOST_KEPT = 15, 12
SHARE_USED = "Account exceeded command or bandwidth limits"
Make = Callable[..., Source]


class Held:
    """Plays an IMAP server, and counts the connections that it has: `now`, and `most` at once."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self._lock = threading.Lock()

    def __call__(self, dialog: Dialog) -> None:
        self._count(1)
        try:
            ImapScript({1: mail("one")})(dialog)
        finally:
            self._count(-1)

    def _count(self, more: int) -> None:
        with self._lock:
            self.now += more
            self.most = max(self.most, self.now)


@pytest.fixture
def mailboxes(authority: Authority) -> Iterator[Make]:
    """Makes sources of scripted servers, without TLS, and closes them."""
    with ExitStack() as stack:

        def make(server: Scripted, user: str = ANN, *, kind: MailboxType = MailboxType.IMAP, **given: Any) -> Source:
            sources = stack.enter_context(Sources(kind, server.port, authority))
            fields: dict[str, Any] = {
                "security_given": Security.NONE,
                "first_fetch": FirstFetch.ALL,
                "connect_timeout": 0.1,
                "connections_per_account": MOST_AT_ONCE,
            }
            return sources(user, **(fields | given))

        yield make


def test_an_account_never_has_more_connections_than_the_cap(scripted: Callable[..., Scripted], mailboxes: Make) -> None:
    held = Held()
    server = scripted(held)
    sources = [mailboxes(server, ANN if number % 2 else ANN.upper()) for number in range(MOST_AT_ONCE + 1)]
    for source in sources[:-1]:
        source.open()
    with pytest.raises(Busy, match=f"connect: the mailboxes of this account have {MOST_AT_ONCE} connections"):
        sources[-1].open()
    assert held.most == server.connections == MOST_AT_ONCE
    sources[0].close()
    sources[-1].open()
    assert server.connections == MOST_AT_ONCE + 1


def test_every_mailbox_of_a_crowded_account_is_read_though_not_all_keep_their_connections(
    scripted: Callable[..., Scripted], mailboxes: Make
) -> None:
    held = Held()
    server = scripted(held)
    sources = [mailboxes(server) for _ in range(MOST_AT_ONCE + 5)]
    for _ in range(2):
        taken = [len(turn(source).mails) for source in sources]
        assert taken == [1] * len(sources)
        waits = [source.wait().connection is not None for source in sources]
        assert waits == [True] * MOST_KEPT + [False] * (len(sources) - MOST_KEPT)
    eventually(lambda: held.now == MOST_KEPT, what="the end of those that are not kept")


def test_a_connection_that_is_lost_makes_room(scripted: Callable[..., Scripted], mailboxes: Make) -> None:
    server = scripted(Held())
    sources = [mailboxes(server) for _ in range(MOST_KEPT + 1)]
    for source in sources:
        turn(source)
    assert sources[-1].wait().connection is None
    sources[0].close()
    turn(sources[-1])
    assert sources[-1].wait().connection is not None


def test_a_server_that_turns_us_away_costs_no_room(scripted: Callable[..., Scripted], mailboxes: Make) -> None:
    server = scripted(ImapScript({}, {"greeting": says("* BYE not now")}))
    for source in [mailboxes(server) for _ in range(MOST_AT_ONCE)]:
        with pytest.raises(Busy, match="not now"):
            source.open()
    mailboxes(scripted(Held())).open()


def test_where_no_number_is_set_every_mailbox_keeps_its_own(scripted: Callable[..., Scripted], mailboxes: Make) -> None:
    server = scripted(Held())
    sources = [mailboxes(server, connections_per_account=None) for _ in range(MOST_AT_ONCE + 5)]
    for source in sources:
        turn(source)
    assert all(source.wait().connection is not None for source in sources)


@pytest.mark.parametrize(
    ("server", "given", "most"),
    [
        ("imap.gmail.com", None, 15),
        ("IMAP.googlemail.com", None, 15),
        ("imap.gmail.com", 0, None),
        ("imap.gmail.com", 4, 4),
        ("imap.example.com", None, None),
        ("imap.example.com", 10, 10),
    ],
)
def test_google_has_its_limit_where_none_is_set(server: str, given: int | None, most: int | None) -> None:
    section = MailboxSection(
        name="pop-client", type=MailboxType.IMAP, server=server, mailbox=ANN, connections_per_account=given
    )
    assert section.most_connections == most


def test_accounts_have_their_own_connections(scripted: Callable[..., Scripted], mailboxes: Make) -> None:
    server = scripted(Held())
    for number in range(MOST_AT_ONCE + 1):
        mailboxes(server, f"user-{number}@example.com").open()
    assert server.connections == MOST_AT_ONCE + 1


@pytest.mark.parametrize("command", ["LOGIN", "EXAMINE", "SELECT", "UID FETCH", "UID STORE"])
def test_a_share_that_is_used_up_over_imap_is_waited_for_and_costs_no_mail(
    scripted: Callable[..., Scripted], mailboxes: Make, command: str
) -> None:
    answers: dict[str, Answer] = {command: says(f"TAG NO [OVERQUOTA] {SHARE_USED}. (Failure)")}
    after = AfterFetch.LEAVE if command == "EXAMINE" else AfterFetch.SEEN
    source = mailboxes(scripted(ImapScript({1: mail("one")}, answers)), after_fetch=after)
    with pytest.raises(OverLimit, match="a day's share is used up") as failure:
        turn(source)
    assert failure.value.retry_after == LONG


@pytest.mark.parametrize("command", ["PASS", "UIDL", "RETR"])
def test_a_share_that_is_used_up_over_pop3_is_waited_for(
    scripted: Callable[..., Scripted], mailboxes: Make, command: str
) -> None:
    script = Pop3Script({b"a": mail("one")}, {command: says(f"-ERR [SYS/PERM] {SHARE_USED}")})
    with pytest.raises(OverLimit, match="a day's share is used up"):
        turn(mailboxes(scripted(script), kind=MailboxType.POP3))


@pytest.mark.parametrize("mechanisms", [(), ("PLAIN",)])
@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("[ALERT] Application-specific password required: https://x.example (Failure)", "give an app password"),
        ("[AUTHENTICATIONFAILED] Invalid credentials (Failure)", "not the account's own password"),
        ("[ALERT] Please log in via your web browser: https://x.example (Failure)", "in a browser once"),
        ("[WEBALERT https://x.example/?plt=secret] Web login required. (Failure)", "in a browser once"),
    ],
)
def test_a_refused_sign_in_says_what_to_do(
    scripted: Callable[..., Scripted], mailboxes: Make, said: str, advice: str, mechanisms: tuple[str, ...]
) -> None:
    answer = says(f"TAG NO {said}")
    script = ImapScript({}, {"LOGIN": answer, "AUTHENTICATE": answer}, capabilities="IMAP4rev1 AUTH=PLAIN SASL-IR")
    with pytest.raises(Rejected, match=f"sign in: .*{advice}") as failure:
        mailboxes(scripted(script), imap=ImapProperties(auth_mechanisms=mechanisms)).open()
    assert "plt=secret" not in str(failure.value)


def test_a_refused_sign_in_over_pop3_says_what_to_do(scripted: Callable[..., Scripted], mailboxes: Make) -> None:
    script = Pop3Script({}, {"PASS": says("-ERR [AUTH] Application-specific password required: https://x.example")})
    with pytest.raises(Rejected, match=r"sign in: .*give an app password"):
        mailboxes(scripted(script), kind=MailboxType.POP3).open()


def test_a_refused_sign_in_over_smtp_says_what_to_do(scripted: Callable[..., Scripted]) -> None:
    refusal = says("534-5.7.9 Application-specific password required. For more", "534 5.7.9 go to x.example")
    server = scripted(SmtpScript({"EHLO": says("250-x", "250 AUTH PLAIN"), "AUTH": refusal}))
    with Sinks() as sinks, pytest.raises(RemoteError, match=r"sign in: .*give an app password"):
        sinks(server.port, enable_authentication=True, user=ANN, password=Secret("x")).send(outbound())


def test_recent_mode_signs_in_with_its_prefix(scripted: Callable[..., Scripted], mailboxes: Make) -> None:
    """Gmail then lists all mails of 30 days, whichever client took them before."""
    server = scripted(Pop3Script({b"a": mail("one")}))
    taken = turn(mailboxes(server, f"recent:{ANN}", kind=MailboxType.POP3))
    assert len(taken.mails) == 1
    assert f"1 C: USER recent:{ANN}" in server.transcript

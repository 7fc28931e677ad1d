"""Signing in with a token over IMAP, POP3 and SMTP, on a Dovecot that asks an authority whose each token is."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from emaild.errors import Busy, Rejected, Unreachable
from emaild.jobs.adapters import source_for
from emaild.net.oauth import Sealed, tokens_for
from emaild.net.peer import peer_of
from emaild.net.sign_in import SignIn
from emaild.settings.mailbox import FirstFetch, MailboxType
from emaild.settings.properties import ImapProperties, Pop3Properties, SmtpProperties
from emaild.settings.secret import Secret
from emaild.settings.server import Security
from emaild.settings.way_out import WayOutSection
from emaild.sinks.smtp import Smtp
from emaild.sources import Source
from tests.adapters.scripts import Answer, ImapScript, Pop3Script, SmtpScript, says
from tests.adapters.turns import mail, section, subjects, turn
from tests.adapters.ways import SENT, Way, outbound, states
from tests.clock import ManualClock
from tests.servers.authority import Authority
from tests.servers.authorization import AuthorizationServer
from tests.servers.authorization_rules import Client, Person
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.faulty_smtp import FaultySmtp
from tests.servers.scripted import Dialog, Scripted

REASONS = {"XOAUTH2": "status 401, scope mail", "OAUTHBEARER": "status invalid_token"}
MECHANISMS = tuple(REASONS)
IMAP, POP3 = MailboxType.IMAP, MailboxType.POP3
PROTOCOLS = (IMAP, POP3, "smtp")
LIFE = 3600.0


@pytest.fixture(scope="module")
def people(authority: Authority) -> Iterator[AuthorizationServer]:
    """Who gives tokens, and whom the server asks about them."""
    with AuthorizationServer(authority) as server:
        server.realm.clients["emaild"] = Client("emaild")
        yield server


@pytest.fixture(scope="module")
def relay() -> Iterator[FaultySmtp]:
    """What submission passes mails on to."""
    with FaultySmtp() as server:
        yield server


@pytest.fixture(scope="module")
def server(authority: Authority, people: AuthorizationServer, relay: FaultySmtp) -> Iterator[Dovecot]:
    """Takes tokens."""
    with Dovecot(authority, introspection=people.introspection_endpoint, relay=relay.smtp) as started:
        yield started


class Signing(ExitStack):
    """Makes sources and sinks of users who sign in with tokens, as the daemon makes them.

    `elsewhere`: the port of another server than the one that takes tokens, without TLS.
    """

    def __init__(self, server: Dovecot, people: AuthorizationServer, authority: Authority, state: Path) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.server, self.people = server, people
        self.elsewhere = 0
        self._sealed = Sealed(state)
        self._given: dict[str, Any] = {
            "ca_file": authority.ca_file,
            "tenant_authority": people.url,
            "directory_id": "contoso",
            "client_id": "emaild",
        }

    def user(self, name: str, *, is_really: str = "") -> str:
        """A new user; whose tokens say that it is another one, if *is_really* names one."""
        user = f"{name}@example.com".lower()
        self.people.realm.people[user] = Person(is_really or user, PASSWORD)
        return user

    def asked(self, user: str) -> int:
        """How many tokens that user got so far."""
        return len([form for form in self.people.grants if form.get("username") == user])

    def revoke(self, user: str) -> None:
        """The user's tokens of now are good no more, and nobody tells us."""
        self.people.realm.revoke(user)

    def source(self, kind: MailboxType, user: str, mechanism: str = "XOAUTH2", **given: Any) -> Source:
        """The source of a user's mailbox; *given* are properties of its protocol."""
        properties = ImapProperties if kind is IMAP else Pop3Properties
        fields = self._given | {kind.value.lower(): properties(auth_mechanisms=tuple(mechanism.split()), **given)}
        port = self.elsewhere or (self.server.imaps if kind is IMAP else self.server.pop3s)
        security = Security.NONE if self.elsewhere else Security.SSL_TLS
        everything = FirstFetch.ALL
        made = section(kind, port, user, security_given=security, first_fetch=everything, cycle_time=1.0, **fields)
        tokens = tokens_for(made, proxy=None, clock=self.clock, sealed=self._sealed)
        assert tokens is not None
        return self.enter_context(closing(source_for(made, None, tokens, self.clock)))

    def sink(self, user: str, mechanism: str = "XOAUTH2", **given: Any) -> Way:
        made = WayOutSection(
            name="smtp-client",
            server="localhost",
            port_given=self.elsewhere or self.server.submission,
            security_given=Security.NONE if self.elsewhere else Security.START_TLS,
            enable_authentication=True,
            user=user,
            password=Secret(PASSWORD),
            smtp=SmtpProperties(auth_mechanisms=tuple(mechanism.split())),
            **(self._given | given),
        )
        tokens = tokens_for(made, proxy=None, clock=self.clock, sealed=self._sealed)
        sign_in = SignIn(tokens, self.clock, made.token_expiry_margin_time)
        return self.enter_context(closing(Way(Smtp(made, peer_of(made), self.clock, sign_in))))

    def works(self, protocol: MailboxType | str, user: str, mechanism: str = "XOAUTH2") -> None:
        """One sign-in and what comes after it; raises what fails."""
        if isinstance(protocol, MailboxType):
            self.server.drop(user, [mail("one")])
            assert subjects(turn(self.source(protocol, user, mechanism)).raws) == ["one"]
        else:
            assert states(self.sink(user, mechanism).send(outbound(sender=user))) == [SENT]


@pytest.fixture
def signing(server: Dovecot, people: AuthorizationServer, authority: Authority, tmp_path: Path) -> Iterator[Signing]:
    people.realm.token_length = 0
    with Signing(server, people, authority, tmp_path) as made:
        yield made


@pytest.mark.parametrize("octets", [0, 3000])
@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_token_signs_in_however_long_it_is(
    signing: Signing, protocol: MailboxType | str, mechanism: str, octets: int
) -> None:
    user = signing.user(f"long-{protocol}-{mechanism}-{octets}")
    signing.people.realm.token_length = octets
    signing.works(protocol, user, mechanism)
    assert signing.asked(user) == len(signing.server.sessions(user, 1)) == 1
    assert f"user=<{user}>, method={mechanism}" in signing.server.log()


@pytest.mark.parametrize("two_lines", [False, True])
def test_xoauth2_over_pop3_comes_on_one_line_or_on_two(signing: Signing, two_lines: bool) -> None:
    user = signing.user(f"lines-{two_lines}")
    signing.server.drop(user, [mail("one")])
    assert subjects(turn(signing.source(POP3, user, auth_xoauth2_two_line=two_lines)).raws) == ["one"]


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_token_of_another_user_is_refused_with_the_servers_reason_and_never_shown(
    signing: Signing, protocol: MailboxType | str, mechanism: str
) -> None:
    user = signing.user(f"mine-{protocol}-{mechanism}", is_really="another@example.com")
    with pytest.raises(Rejected, match=f"sign in: the token was refused: {REASONS[mechanism]}: ") as failure:
        signing.works(protocol, user, mechanism)
    assert signing.asked(user) == 2, "another one, once"
    assert not any(token in str(failure.value) for token in signing.people.realm.tokens)
    assert signing.server.sessions(user) == []


@pytest.mark.parametrize("protocol", [IMAP, POP3])
def test_a_token_that_was_revoked_is_replaced_at_once(signing: Signing, protocol: MailboxType) -> None:
    user = signing.user(f"revoked-{protocol}")
    source = signing.source(protocol, user)
    turn(source)
    source.close()
    signing.revoke(user)
    signing.server.drop(user, [mail("one")])
    assert subjects(turn(source).raws) == ["one"]
    assert signing.asked(user) == 2


def test_a_token_that_was_revoked_is_replaced_at_once_over_smtp(signing: Signing) -> None:
    user = signing.user("revoked-smtp")
    sink = signing.sink(user)
    assert states(sink.send(outbound(sender=user))) == [SENT]
    sink.close()
    signing.revoke(user)
    assert states(sink.send(outbound(sender=user))) == [SENT]
    assert signing.asked(user) == 2


def test_a_kept_imap_connection_is_replaced_a_margin_before_its_token_ends(signing: Signing) -> None:
    user = signing.user("idle-end")
    signing.server.drop(user, [mail("one")])
    source = signing.source(IMAP, user)
    cursor = turn(source).cursor
    assert source.wait().connection is not None
    for seconds, sessions in ((LIFE - 301, 1), (1, 2), (LIFE - 301, 2), (1, 3)):
        signing.clock.advance(seconds)
        turn(source, cursor)
        assert source.wait().connection is not None
        assert len(signing.server.sessions(user, sessions)) == signing.asked(user) == sessions


def test_idle_lasts_no_longer_than_its_token(signing: Signing) -> None:
    user = signing.user("idle-wait")
    source = signing.source(IMAP, user)
    turn(source)
    assert source.wait().seconds == 300, "idle-renewal"
    signing.clock.advance(LIFE - 300 - 10)
    turn(source)
    assert source.wait().seconds == 10
    signing.clock.advance(9.5)
    turn(source)
    assert source.wait().seconds == 1, "cycle-time: a token that ends at once makes no busy loop"


def test_an_imap_connection_that_the_server_ended_with_its_token_comes_back(signing: Signing) -> None:
    """The server says BYE while we idle, and the token of that connection is good no more."""
    user = signing.user("idle-ended")
    source = signing.source(IMAP, user)
    cursor = turn(source).cursor
    source.wait()
    signing.revoke(user)
    signing.server.restart()
    signing.server.drop(user, [mail("one")])
    with pytest.raises(Unreachable, match="wake"):
        turn(source, cursor)
    assert subjects(turn(source, cursor).raws) == ["one"]
    assert signing.asked(user) == 2


def test_a_kept_smtp_connection_is_replaced_a_margin_before_its_token_ends(signing: Signing) -> None:
    user = signing.user("kept-smtp")
    day = 86400.0
    sink = signing.sink(user, token_expiry_margin_time=600.0, cnx_max_idle_time=day, cnx_check_idle_time=day)
    for seconds, sessions in ((0, 1), (LIFE - 601, 1), (1, 2), (10, 2)):
        signing.clock.advance(seconds)
        assert states(sink.send(outbound(sender=user))) == [SENT]
        assert len(signing.server.sessions(user, sessions)) == signing.asked(user) == sessions
    assert sink.rest() == LIFE - 610


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_token_is_never_said_as_a_password(
    signing: Signing, dovecot: Dovecot, faulty_smtp: Callable[..., FaultySmtp], protocol: MailboxType | str
) -> None:
    """These servers know PLAIN and LOGIN alone."""
    user = signing.user(f"plain-{protocol}")
    sending = faulty_smtp(user=user)
    signing.elsewhere = {IMAP: dovecot.imap, POP3: dovecot.pop3, "smtp": sending.smtp}[protocol]
    with pytest.raises(Rejected, match=r"sign in: (no way|no mechanism|.*none of which may be used)"):
        signing.works(protocol, user, "XOAUTH2 PLAIN LOGIN")
    assert user not in dovecot.log()
    assert not [command for _, command in sending.commands if command.startswith("AUTH")]
    assert signing.asked(user) == 1


def repeats(answer: str) -> Answer:
    """Answers a sign-in with this, in which TOKEN is what was said to it."""

    def says(dialog: Dialog, tag: str, rest: str) -> None:
        token = base64.b64decode(rest.split()[-1]).decode().partition("Bearer ")[2].strip("\1")
        dialog.send(answer.replace("TAG", tag).replace("TOKEN", token))

    return says


SCRIPTS: dict[MailboxType | str, Callable[[], Callable[[Dialog], None]]] = {
    IMAP: lambda: ImapScript(
        {}, {"AUTHENTICATE": repeats("TAG NO no TOKEN here")}, capabilities="IMAP4rev1 AUTH=XOAUTH2 SASL-IR"
    ),
    POP3: lambda: Pop3Script({}, {"CAPA": says("+OK", "SASL XOAUTH2", "."), "AUTH": repeats("-ERR no TOKEN here")}),
    "smtp": lambda: SmtpScript({"EHLO": says("250-x", "250 AUTH XOAUTH2"), "AUTH": repeats("535 no TOKEN here")}),
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_token_that_the_server_repeats_is_masked(
    signing: Signing, scripted: Callable[..., Scripted], protocol: MailboxType | str
) -> None:
    signing.elsewhere = scripted(SCRIPTS[protocol]()).port
    with pytest.raises(Rejected, match=r"no \*\*\* here"):
        signing.works(protocol, signing.user(f"repeats-{protocol}"))


def test_a_sign_in_that_is_switched_off_costs_no_token(signing: Signing, scripted: Callable[..., Scripted]) -> None:
    """Exchange says so whatever the token."""
    off = "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant."
    user = signing.user("switched-off")
    server = scripted(SmtpScript({"EHLO": says("250-x", "250 AUTH XOAUTH2"), "AUTH": says(off)}))
    signing.elsewhere = server.port
    with pytest.raises(Rejected, match="SmtpClientAuthentication is disabled"):
        signing.works("smtp", user)
    assert signing.asked(user) == server.connections == 1


@pytest.mark.parametrize(
    ("protocol", "script"),
    [
        (
            IMAP,
            lambda: ImapScript(
                {},
                {"AUTHENTICATE": says("TAG NO [UNAVAILABLE] later")},
                capabilities="IMAP4rev1 AUTH=XOAUTH2 SASL-IR",
            ),
        ),
        (POP3, lambda: Pop3Script({}, {"CAPA": says("+OK", "SASL XOAUTH2", "."), "AUTH": says("-ERR [SYS/TEMP] no")})),
        ("smtp", lambda: SmtpScript({"EHLO": says("250-x", "250 AUTH XOAUTH2"), "AUTH": says("454 4.7.0 later")})),
    ],
)
def test_a_server_that_cannot_check_tokens_now_is_busy_and_costs_none(
    signing: Signing,
    scripted: Callable[..., Scripted],
    protocol: MailboxType | str,
    script: Callable[[], Callable[[Dialog], None]],
) -> None:
    user = signing.user(f"busy-{protocol}")
    server = scripted(script())
    signing.elsewhere = server.port
    with pytest.raises(Busy):
        signing.works(protocol, user)
    assert signing.asked(user) == server.connections == 1


def test_a_password_still_signs_in_where_there_are_no_tokens(signing: Signing, authority: Authority) -> None:
    made = section(IMAP, signing.server.imaps, "plain", security_given=Security.SSL_TLS, ca_file=authority.ca_file)
    assert tokens_for(made, proxy=None, clock=signing.clock, sealed=Sealed(Path("/nowhere"))) is None
    with closing(source_for(made)) as source:
        source.open()
    assert len(signing.server.sessions("plain", 1)) == 1

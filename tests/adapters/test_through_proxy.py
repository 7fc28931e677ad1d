"""Mail through proxies: IMAP with IDLE, POP3 with STLS, SMTP, to real servers."""

from __future__ import annotations

import select
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from emaild.errors import Rejected
from emaild.jobs.adapters import source_for
from emaild.net.peer import peer_of
from emaild.settings.mailbox import FirstFetch, MailboxType
from emaild.settings.network import ProxySection
from emaild.settings.properties import SmtpProperties
from emaild.settings.secret import Secret
from emaild.settings.server import Security
from emaild.settings.way_out import WayOutSection
from emaild.sinks.smtp import Smtp
from tests.adapters.turns import mail, section, subjects, turn
from tests.adapters.ways import SENT, Way, outbound, states
from tests.clock import ManualClock
from tests.servers.authority import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.ports import LOOPBACK
from tests.servers.proxies import PASSWORD, USER, ProxyProgram
from tests.servers.smtp_sink import SmtpSink
from tests.servers.wait import eventually

PROGRAMS = ["microsocks", "squid", "tinyproxy"]


@pytest.fixture(params=PROGRAMS)
def program(request: pytest.FixtureRequest) -> Iterator[ProxyProgram]:
    """A proxy that wants a user and a password."""
    with ProxyProgram(request.param, signs_in=True) as made:
        yield made


def proxy_section(program: ProxyProgram, password: str = PASSWORD) -> ProxySection:
    """As the conf file has it; what the proxy speaks is found out."""
    return ProxySection(
        name="proxy",
        use_proxy_text="true",
        host=LOOPBACK,
        port_given=str(program.port),
        user=USER,
        password=Secret(password),
    )


def went_through(program: ProxyProgram, port: int) -> None:
    """Whether a connection to that port stands in the proxy's log; Squid writes it when the connection ends."""
    eventually(lambda: str(port) in program.log(), what="the proxy's log")


def test_imap_idles_through_a_proxy(dovecot: Dovecot, authority: Authority, program: ProxyProgram) -> None:
    user = f"proxied-imap-{program.name}"
    made = section(
        MailboxType.IMAP, dovecot.imaps, user, security_given=Security.SSL_TLS, ca_file=authority.ca_file,
        first_fetch=FirstFetch.ALL,
    )  # fmt: skip
    with closing(source_for(made, proxy_section(program))) as source:
        dovecot.deliver(user, mail("one"))
        first = turn(source)
        assert subjects(first.raws) == ["one"]
        waiting = source.wait().connection
        assert waiting is not None
        dovecot.deliver(user, mail("two"))
        assert select.select([waiting], [], [], 10)[0]
        assert subjects(turn(source, first.cursor).raws) == ["two"]
    went_through(program, dovecot.imaps)
    assert len(dovecot.sessions(user, 1)) == 1


def test_pop3_begins_tls_through_a_proxy(dovecot: Dovecot, authority: Authority, program: ProxyProgram) -> None:
    user = f"proxied-pop3-{program.name}"
    made = section(
        MailboxType.POP3, dovecot.pop3, user, security_given=Security.START_TLS, ca_file=authority.ca_file,
        first_fetch=FirstFetch.ALL,
    )  # fmt: skip
    dovecot.deliver(user, mail("one"))
    with closing(source_for(made, proxy_section(program))) as source:
        assert subjects(turn(source).raws) == ["one"]
    went_through(program, dovecot.pop3)


def test_smtp_sends_through_a_proxy(smtp_sink: Callable[..., SmtpSink], program: ProxyProgram) -> None:
    sink = smtp_sink()
    way = WayOutSection(name="smtp-client", server="localhost", port_given=sink.smtp)
    with closing(Way(Smtp(way, peer_of(way, proxy_section(program)), ManualClock()))) as smtp:
        assert states(smtp.send(outbound())) == [SENT]
    assert len(sink.mails()) == 1
    went_through(program, sink.smtp)


def test_properties_name_a_proxy_too(smtp_sink: Callable[..., SmtpSink]) -> None:
    sink = smtp_sink()
    with ProxyProgram("tinyproxy", signs_in=True) as program:
        properties = SmtpProperties(
            proxy_host=LOOPBACK, proxy_port=program.port, proxy_user=USER, proxy_password=Secret(PASSWORD)
        )
        way = WayOutSection(name="smtp-client", server="localhost", port_given=sink.smtp, smtp=properties)
        with closing(Way(Smtp(way, peer_of(way), ManualClock()))) as smtp:
            assert states(smtp.send(outbound())) == [SENT]
        went_through(program, sink.smtp)


@pytest.mark.parametrize("kind", [MailboxType.IMAP, MailboxType.POP3])
def test_proxy_that_refuses_us_is_told_as_such(dovecot: Dovecot, program: ProxyProgram, kind: MailboxType) -> None:
    made = section(kind, dovecot.imap, "proxied-nobody")
    with (
        closing(source_for(made, proxy_section(program, "hunter2"))) as source,
        pytest.raises(Rejected, match=rf"connect: MailConnectException: \[proxy\] 127.0.0.1:{program.port}: "),
    ):
        source.open()


@pytest.mark.parametrize("kind", [MailboxType.IMAP, MailboxType.POP3])
def test_password_is_not_sent_through_a_proxy_in_the_clear(dovecot: Dovecot, kind: MailboxType) -> None:
    user = f"proxied-clear-{kind.value.lower()}"
    port = dovecot.imap if kind is MailboxType.IMAP else dovecot.pop3
    with ProxyProgram("microsocks", signs_in=True) as program:
        made = section(kind, port, user)
        with (
            closing(source_for(made, proxy_section(program))) as source,
            pytest.raises(Rejected, match="sign in: the connection is not encrypted"),
        ):
            source.open()
    assert not dovecot.sessions(user)

"""TLS over SMTP where a server offers it, takes it away, or says more than it should before it begins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from emaild.errors import Rejected
from emaild.settings.properties import SmtpProperties
from emaild.settings.server import Security
from tests.adapters.scripts import Answer, SmtpScript, says
from tests.adapters.ways import SENT, Sinks, outbound, said, states
from tests.servers.authority import Authority
from tests.servers.faulty_smtp import FaultySmtp
from tests.servers.postfix import Postfix
from tests.servers.scripted import Dialog, Scripted
from tests.servers.smtp_sink import SmtpSink

IF_OFFERED = SmtpProperties(starttls_enable=True)
REQUIRED = SmtpProperties(starttls_required=True)


def starts_tls(*after: str, answer: bytes = b"220 go\r\n") -> Answer:
    """To STARTTLS, with *answer*; from then on EHLO is answered with the lines *after*."""

    def begin(dialog: Dialog, tag: str, rest: str) -> None:
        dialog.send_raw(answer)
        dialog.start_tls()
        SmtpScript({"greeting": lambda *_: None, "EHLO": says(*after), "AUTH": says("235 in")})(dialog)

    return begin


def test_starttls_is_used_where_it_is_offered_and_not_missed_where_not(
    faulty_smtp: Callable[..., FaultySmtp], authority: Authority, sinks: Sinks
) -> None:
    """aiosmtpd offers AUTH under TLS alone, so the server that lets us in is spoken to in TLS."""
    secure, plain = faulty_smtp(authority=authority, tls="starttls", user="joe"), faulty_smtp()
    way = sinks(secure.smtp, user="joe", ca_file=authority.ca_file, smtp=IF_OFFERED)
    assert states(way.send(outbound())) == [SENT]
    assert [mail.signed_in_as for mail in secure.mails] == ["joe"]
    assert states(sinks(plain.smtp, ca_file=authority.ca_file, smtp=IF_OFFERED).send(outbound())) == [SENT]


def test_starttls_that_is_offered_is_left_alone_by_default(
    postfix: Callable[..., Postfix], smtp_sink: Callable[..., SmtpSink], authority: Authority, sinks: Sinks
) -> None:
    relay = postfix(relay_to=smtp_sink().smtp, starttls=authority, options={"smtpd_tls_loglevel": "1"})
    assert states(sinks(relay.smtp).send(outbound())) == [SENT]
    assert "TLS connection established" not in relay.log()
    assert states(sinks(relay.smtp, ca_file=authority.ca_file, smtp=IF_OFFERED).send(outbound())) == [SENT]
    assert "TLS connection established" in relay.log()


@pytest.mark.parametrize("given", [{"smtp": REQUIRED}, {"security_given": Security.START_TLS}])
def test_without_the_starttls_that_is_required_neither_password_nor_mail_is_sent(
    scripted: Callable[..., Scripted], sinks: Sinks, given: dict[str, Any]
) -> None:
    """Somebody on the way may have taken it out of the answer to EHLO (RFC 3207 §6)."""
    server = scripted(SmtpScript({"EHLO": says("250-x", "250-XXXXXXXX", "250 AUTH PLAIN")}))
    with pytest.raises(Rejected, match="STARTTLS extension not supported"):
        sinks(server.port, user="joe", **given).send(outbound())
    assert [line.split(" ")[0] for line in said(server)] == ["EHLO"]


def test_what_a_server_says_before_tls_does_not_count_after_it(
    scripted: Callable[..., Scripted], authority: Authority, sinks: Sinks
) -> None:
    """RFC 3207 §4.2: the mechanisms and sizes of before are forgotten, and EHLO asks again."""
    answers = {
        "EHLO": says("250-x", "250-STARTTLS", "250-SIZE 10", "250 AUTH LOGIN"),
        "STARTTLS": starts_tls("250-x", "250 AUTH PLAIN"),
    }
    server = scripted(SmtpScript(answers), authority=authority)
    way = sinks(server.port, user="joe", security_given=Security.START_TLS, ca_file=authority.ca_file)
    assert states(way.send(outbound())) == [SENT]
    assert [" ".join(line.split(" ")[:2]) for line in said(server)[1:4:2]] == ["STARTTLS", "AUTH PLAIN"]
    assert [line.split(" ")[0] for line in said(server)[:5]] == ["EHLO", "STARTTLS", "EHLO", "AUTH", "MAIL"]
    assert "SIZE" not in said(server)[4]


def test_answer_that_is_put_before_tls_is_not_read_after_it(
    scripted: Callable[..., Scripted], authority: Authority, sinks: Sinks
) -> None:
    """The known trap: who sits on the way adds lines to the plain 220, to be taken for answers that TLS protects."""
    injected = b"220 go\r\n250-evil\r\n250 AUTH PLAIN\r\n"
    answers = {"EHLO": says("250-x", "250 STARTTLS"), "STARTTLS": starts_tls("250 nothing", answer=injected)}
    server = scripted(SmtpScript(answers), authority=authority)
    with pytest.raises(Rejected, match="the server offers no sign-in"):
        sinks(server.port, user="joe", security_given=Security.START_TLS, ca_file=authority.ca_file).send(outbound())


# Automatic


@pytest.mark.parametrize("security", [Security.AUTOMATIC, Security.ENCRYPTED])
@pytest.mark.parametrize("tls", ["implicit", "starttls"])
def test_a_security_that_is_found_out_is_the_best_that_there_is(
    faulty_smtp: Callable[..., FaultySmtp], authority: Authority, sinks: Sinks, tls: str, security: Security
) -> None:
    server = faulty_smtp(authority=authority, tls=tls, user="joe")
    way = sinks(server.smtp, security_given=security, ca_file=authority.ca_file, user="joe")
    assert states(way.send(outbound())) == [SENT]
    assert server.connections == (1 if tls == "implicit" else 2)
    assert [mail.signed_in_as for mail in server.mails] == ["joe"]


def test_automatic_goes_on_without_tls_where_there_is_none(
    faulty_smtp: Callable[..., FaultySmtp], authority: Authority, sinks: Sinks
) -> None:
    server = faulty_smtp()
    way = sinks(server.smtp, security_given=Security.AUTOMATIC, ca_file=authority.ca_file)
    assert states(way.send(outbound())) == [SENT]
    assert server.connections == 2


@pytest.mark.parametrize("security", [Security.AUTOMATIC, Security.ENCRYPTED])
def test_where_tls_is_required_nothing_is_sent_without_it(
    faulty_smtp: Callable[..., FaultySmtp], authority: Authority, sinks: Sinks, security: Security
) -> None:
    server = faulty_smtp()
    smtp = REQUIRED if security is Security.AUTOMATIC else SmtpProperties()
    with pytest.raises(Rejected, match="STARTTLS extension not supported"):
        sinks(server.smtp, security_given=security, ca_file=authority.ca_file, smtp=smtp).send(outbound())
    assert not [command for _, command in server.commands if not command.startswith("EHLO")]


def test_encrypted_finds_starttls_of_a_postfix(
    postfix: Callable[..., Postfix], smtp_sink: Callable[..., SmtpSink], authority: Authority, sinks: Sinks
) -> None:
    relay = postfix(relay_to=smtp_sink().smtp, starttls=authority, options={"smtpd_tls_loglevel": "1"})
    way = sinks(relay.smtp, security_given=Security.ENCRYPTED, ca_file=authority.ca_file)
    assert states(way.send(outbound())) == [SENT]
    assert "TLS connection established" in relay.log()


def test_automatic_ends_at_a_certificate_that_is_not_trusted(
    faulty_smtp: Callable[..., FaultySmtp], authority: Authority, sinks: Sinks
) -> None:
    """Whoever can break TLS must not be given a connection without it."""
    server = faulty_smtp(authority=authority, tls="implicit")
    with pytest.raises(Rejected, match="certificate is not trusted"):
        sinks(server.smtp, security_given=Security.AUTOMATIC, ca_file=authority.other_ca_file).send(outbound())
    assert server.connections == 1

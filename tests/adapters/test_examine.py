"""A mailbox or a way out is examined step by step: what failed is named, with its cause, and nothing is changed."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from emaild.jobs.examine import Finding, Place, Section, examined, handed_over
from emaild.net.oauth import Sealed
from emaild.net.steps import Step, StepState
from emaild.settings.by_token import GrantType
from emaild.settings.mailbox import MailboxSection, MailboxType
from emaild.settings.network import ProxySection, ProxyType
from emaild.settings.properties import ImapProperties, SmtpProperties
from emaild.settings.secret import Secret
from emaild.settings.server import Security
from emaild.settings.way_out import ServerType, WayOutSection
from tests.adapters import certificates
from tests.adapters.scripts import ImapScript, SmtpScript, says
from tests.adapters.turns import mail, section
from tests.adapters.ways import outbound
from tests.clock import ManualClock
from tests.servers.authority import Authority
from tests.servers.authorization import AuthorizationServer
from tests.servers.authorization_rules import Client
from tests.servers.dovecot import Dovecot
from tests.servers.ews import PASSWORD, Exchange
from tests.servers.faulty_smtp import CUT, HOLD, FaultySmtp
from tests.servers.graph import GraphServer
from tests.servers.ports import LOOPBACK
from tests.servers.postfix import Postfix
from tests.servers.proxies import FORBIDDEN, ProxyProgram
from tests.servers.scripted import Dialog, Scripted
from tests.servers.wait import eventually

ANN, JOE = "ann@example.com", "joe@example.net"
IMAP, POP3 = MailboxType.IMAP, MailboxType.POP3
OK, FAILED, SKIPPED = StepState.OK, StepState.FAILED, StepState.SKIPPED
PATIENT = 5.0


class Doctor:
    """Examines sections, and sends test mails by ways out."""

    def __init__(self, folder: Path) -> None:
        self._sealed = Sealed(folder)
        self._clock = ManualClock()

    def place(self, section: Section, proxy: ProxySection | None = None) -> Place:
        """What it takes to try it."""
        return Place(section=section, proxy=proxy, sealed=self._sealed, clock=self._clock)

    def __call__(self, section: Section, proxy: ProxySection | None = None) -> Finding:
        """What came of a section."""
        ((_, finding),) = examined([self.place(section, proxy)])
        return finding

    def sends(self, section: WayOutSection, *recipients: str, raw: bytes = b"", told: Any = None) -> Finding:
        """What came of a test mail."""
        given = outbound(*(recipients or (JOE,)), raw=raw) if raw else outbound(*(recipients or (JOE,)))
        return handed_over(self.place(section), given, told or (lambda _: None))


@pytest.fixture
def doctor(tmp_path: Path) -> Doctor:
    """One with a state directory of its own."""
    return Doctor(tmp_path)


def way(port: int, **given: Any) -> WayOutSection:
    """A way out to this machine; with a `user` it signs in."""
    fields: dict[str, Any] = {"server": "localhost", "connect_timeout": PATIENT, "protocol_timeout": PATIENT}
    if "user" in given:
        fields |= {"enable_authentication": True, "password": Secret("secret")}
    return WayOutSection(name="smtp-client", port_given=port, **(fields | given))


def names(finding: Finding, state: StepState | None = None) -> list[str]:
    """The steps, of that state alone where one is given."""
    return [step.name for step in finding.steps if state in (None, step.state)]


def failure(finding: Finding) -> tuple[str, str]:
    """The step that failed, which is the last, and the cause."""
    last = finding.steps[-1]
    assert not finding.works
    assert names(finding, FAILED) == [last.name]
    return last.name, finding.diagnosis.cause if finding.diagnosis else ""


def text(finding: Finding, name: str) -> str:
    """What the newest step of that name says."""
    return [step.text for step in finding.steps if step.name == name][-1]


# What works


@pytest.mark.parametrize("kind", [IMAP, POP3])
def test_a_mailbox_that_works_tells_every_step_to_its_folder(
    doctor: Doctor, dovecot: Dovecot, authority: Authority, kind: MailboxType
) -> None:
    user = f"examined-{kind.value.lower()}"
    dovecot.drop(user, [mail("one"), mail("two")])
    port = dovecot.imaps if kind is IMAP else dovecot.pop3s
    found = doctor(section(kind, port, user, security_given=Security.SSL_TLS, ca_file=authority.ca_file))
    assert found.works
    assert names(found, OK) == ["name", "connect", "TLS", "greeting", "sign-in", "folder"]
    assert text(found, "name").startswith("localhost is ")
    assert text(found, "connect") == f"to 127.0.0.1 port {port}"
    assert "TLSv1.3" in text(found, "TLS")
    assert "certificate for localhost, mail.example.com by emaild test ca, until 20" in text(found, "TLS")
    assert "days left" in text(found, "TLS")
    assert f"as {user}" in text(found, "sign-in")
    assert ("(IDLE)" in text(found, "sign-in")) == (kind is IMAP)
    assert text(found, "folder") == "INBOX holds 2 mails" + ("" if kind is IMAP else "; UIDL tells them apart")
    assert dovecot.flags(user) == [(), ()]


def test_a_way_out_tells_what_its_server_offers_and_sends_nothing(
    doctor: Doctor, faulty_smtp: Callable[..., FaultySmtp], authority: Authority
) -> None:
    server = faulty_smtp(authority=authority, tls="starttls", user=ANN, size_limit=1000)
    found = doctor(way(server.smtp, user=ANN, security_given=Security.START_TLS, ca_file=authority.ca_file))
    assert names(found) == ["name", "connect", "greeting", "EHLO", "STARTTLS", "TLS", "EHLO", "sign-in"]
    assert text(found, "EHLO") == "AUTH LOGIN PLAIN SIZE 1000 8BITMIME"
    assert text(found, "sign-in") == f"PLAIN as {ANN}"
    assert "MAIL" not in {command.split()[0] for _, command in server.commands}


def test_the_extensions_of_a_real_server_are_told(doctor: Doctor, postfix: Callable[..., Postfix]) -> None:
    found = doctor(way(postfix().smtp))
    assert names(found, SKIPPED) == ["TLS", "sign-in"]
    offered = text(found, "EHLO").split()
    assert {"SIZE", "PIPELINING", "8BITMIME", "SMTPUTF8", "DSN"} <= {*offered}


def test_findings_come_in_the_order_of_the_sections_though_they_are_found_at_once(
    doctor: Doctor, scripted: Callable[..., Scripted], free_port: Callable[[], int]
) -> None:
    """The first server greets nobody before the last was asked, so one after the other would fail."""
    asked: list[int] = []

    def greets_last(dialog: Dialog) -> None:
        while not asked:
            if dialog.has_more():
                return
        SmtpScript({})(dialog)

    def notes(dialog: Dialog) -> None:
        asked.append(1)
        SmtpScript({})(dialog)

    first, last = scripted(greets_last), scripted(notes)
    places = [doctor.place(way(port)) for port in (first.port, free_port(), last.port)]
    found = list(examined(places))
    assert [place for place, _ in found] == places
    assert [finding.works for _, finding in found] == [True, False, True]


# What fails on the way


def test_an_unknown_name_fails_at_the_name(doctor: Doctor) -> None:
    found = doctor(way(25, server="nowhere.invalid"))
    assert failure(found) in {("name", "name-not-found"), ("name", "name-servers-away")}


def test_a_closed_port_fails_at_the_connection_and_each_address_is_told(
    doctor: Doctor, free_port: Callable[[], int]
) -> None:
    found = doctor(section(IMAP, free_port(), "examined-nobody"))
    assert failure(found) == ("connect", "connection-refused")
    assert "127.0.0.1: Connection refused" in text(found, "connect")
    assert found.temporary


def test_a_black_hole_ends_in_time(doctor: Doctor) -> None:
    """Where nobody takes its connections the system answers no more once its queue is full."""
    with socket.create_server((LOOPBACK, 0), backlog=0) as listener, ExitStack() as stack:
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        found = doctor(way(listener.getsockname()[1], server=LOOPBACK, connect_timeout=0.3))
    assert failure(found) == ("connect", "connection-timed-out")


def test_a_server_that_never_comes_to_an_end_is_given_up(
    doctor: Doctor, scripted: Callable[..., Scripted], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A piece of an answer now and then keeps every timeout from coming."""
    monkeypatch.setattr("emaild.jobs.examine.LONGEST", 0.5)

    def drips(dialog: Dialog) -> None:
        dialog.send("* OK ready")
        dialog.readline()
        while True:
            dialog.send("* OK still there")
            if dialog.has_more():
                dialog.readline()

    found = doctor(section(IMAP, scripted(drips).port, "x"))
    assert (found.works, found.temporary, found.reason) == (False, True, "no end within 0 seconds")
    assert names(found, FAILED) == ["greeting"]


@pytest.mark.parametrize(("security", "tls"), [(Security.SSL_TLS, "implicit"), (Security.START_TLS, "starttls")])
def test_a_certificate_that_is_not_trusted_is_shown_and_nothing_is_said_to_its_server(
    doctor: Doctor,
    faulty_smtp: Callable[..., FaultySmtp],
    authority: Authority,
    tmp_path: Path,
    security: Any,
    tls: Any,
) -> None:
    old = certificates.shown(authority, tmp_path, begin=-3 * certificates.DAY)
    for shown, changes, cause, words in (
        (authority, {"ca_file": authority.other_ca_file}, "certificate-untrusted", "by emaild test ca"),
        (authority, {"server": "127.1"}, "certificate-other-name", "for localhost, mail.example.com"),
        (old, {}, "certificate-expired", "(ended 3 days ago)"),
    ):
        server = faulty_smtp(authority=shown, tls=tls, user=ANN)
        found = doctor(
            way(server.smtp, **{"user": ANN, "security_given": security, "ca_file": authority.ca_file} | changes)
        )
        assert failure(found) == ("TLS", cause)
        assert words in text(found, "TLS")
        assert {command.split()[0].upper() for _, command in server.commands} <= {"EHLO", "STARTTLS"}


def test_a_certificate_of_a_mailbox_is_shown_and_no_password_is_said(
    doctor: Doctor, scripted: Callable[..., Scripted], authority: Authority
) -> None:
    server = scripted(ImapScript({}), authority=authority, tls=True)
    found = doctor(section(IMAP, server.port, "x", security_given=Security.SSL_TLS, ca_file=authority.other_ca_file))
    assert failure(found) == ("TLS", "certificate-untrusted")
    assert "by emaild test ca" in text(found, "TLS")
    assert not [line for line in server.transcript if " C: " in line]


def test_a_server_without_starttls_fails_there(
    doctor: Doctor, faulty_smtp: Callable[..., FaultySmtp], scripted: Callable[..., Scripted]
) -> None:
    assert failure(doctor(way(faulty_smtp().smtp, security_given=Security.START_TLS))) == (
        "STARTTLS",
        "starttls-not-offered",
    )
    found = doctor(section(IMAP, scripted(ImapScript({})).port, "x", security_given=Security.START_TLS))
    assert failure(found)[0] == "STARTTLS"


def test_dynamics_8_a_user_where_the_server_offers_no_sign_in_is_told_to_be_cleared(
    doctor: Doctor, faulty_smtp: Callable[..., FaultySmtp]
) -> None:
    server = faulty_smtp()
    for found in (doctor(way(server.smtp, user=ANN)), doctor.sends(way(server.smtp, user=ANN))):
        assert failure(found) == ("sign-in", "sign-in-not-offered")
        assert "clear user and password" in found.reason
    assert server.mails == []


def test_a_wrong_password_fails_at_the_sign_in_in_the_words_of_that_protocol(
    doctor: Doctor, dovecot: Dovecot, faulty_smtp: Callable[..., FaultySmtp]
) -> None:
    found = doctor(section(IMAP, dovecot.imap, "refused-examined"))
    assert failure(found) == ("sign-in", "password-wrong")
    assert found.diagnosis is not None
    assert "mail.imap.auth.mechanisms" in found.diagnosis.remedy
    assert "mailbox and password" in found.diagnosis.remedy
    server = faulty_smtp(user=ANN, password="another")
    found = doctor(way(server.smtp, user=ANN))
    assert failure(found) == ("sign-in", "password-wrong")
    assert "secret" not in "".join(step.text for step in found.steps)


def test_a_missing_folder_fails_at_the_folder(doctor: Doctor, dovecot: Dovecot) -> None:
    found = doctor(section(IMAP, dovecot.imap, "examined-folder", folder_path="Nowhere"))
    assert failure(found)[0] == "folder"
    assert "folder-path" in found.advice


def test_a_folder_for_files_must_be_there(doctor: Doctor, tmp_path: Path) -> None:
    folder = tmp_path / "drafts"
    made = WayOutSection(name="smtp-client", server_type=ServerType.EML, eml_directory=folder)
    assert (doctor(made).reason, failure(doctor(made))) == ("there is no such folder", ("folder", "folder-missing"))
    assert failure(doctor.sends(made)) == ("write", "folder-missing")
    folder.mkdir()
    assert names(doctor(made)) == ["folder"]
    assert list(folder.iterdir()) == []
    found = doctor.sends(made)
    assert (found.works, names(found), len(list(folder.iterdir()))) == (True, ["write"], 1)


@pytest.mark.parametrize(("program", "kind"), [("squid", ProxyType.HTTP), ("danted", ProxyType.SOCKS5)])
def test_a_proxy_that_refuses_is_the_step_that_fails(doctor: Doctor, program: str, kind: ProxyType) -> None:
    with ProxyProgram(program) as running:
        fields: dict[str, Any] = {"name": "proxy", "use_proxy_text": "true", "host": LOOPBACK, "proxy_type": kind}
        found = doctor(way(25, server=FORBIDDEN), ProxySection(port_given=str(running.port), **fields))
    assert failure(found)[0] == "proxy"
    assert "MailConnectException" in found.reason


def test_a_way_through_a_proxy_is_told(doctor: Doctor, dovecot: Dovecot) -> None:
    with ProxyProgram("tinyproxy") as running:
        proxy = ProxySection(name="proxy-out", use_proxy_text="true", host=LOOPBACK, port_given=str(running.port))
        found = doctor(section(IMAP, dovecot.imap, "examined-proxied", allow_plaintext_auth=True), proxy)
    assert found.works
    assert "[proxy-out] leads to localhost" in text(found, "proxy")


def test_a_second_way_is_told_after_the_first_that_failed(
    doctor: Doctor, faulty_smtp: Callable[..., FaultySmtp]
) -> None:
    found = doctor(way(faulty_smtp().smtp, security_given=Security.AUTOMATIC))
    assert found.works
    assert names(found, FAILED) == ["TLS"]
    assert names(found, OK)[-1] == "EHLO"


# A mail that is sent


def test_dynamics_14_a_test_mail_tells_each_step_as_it_is_taken_and_what_the_server_calls_it(
    doctor: Doctor, postfix: Callable[..., Postfix]
) -> None:
    told: list[Step] = []
    found = doctor.sends(way(postfix().smtp), told=told.append)
    assert found.works
    assert tuple(told) == found.steps
    assert names(found, OK) == ["name", "connect", "greeting", "EHLO", "sender", "recipient", "data", "end of data"]
    assert "queued as" in text(found, "end of data")


@pytest.mark.parametrize(
    ("command", "reply", "step", "cause"),
    [
        ("MAIL", "550 5.7.60 Client does not have permissions to send as this sender", "sender", ""),
        ("RCPT", "550 5.1.1 no such user", "recipient", "mailbox-unknown"),
        ("DATA", "554 5.7.1 Message rejected as spam", "end of data", ""),
        ("DATA", CUT, "end of data", "connection-broken"),
        ("MAIL", "451 4.3.0 try again later", "sender", ""),
    ],
)
def test_a_refusal_is_told_at_its_step_in_the_words_of_the_server(
    doctor: Doctor, faulty_smtp: Callable[..., FaultySmtp], command: Any, reply: str, step: str, cause: str
) -> None:
    server = faulty_smtp(replies={command: [reply]})
    found = doctor.sends(way(server.smtp))
    assert failure(found)[0] == step
    assert found.diagnosis is not None
    assert cause in (found.diagnosis.cause, "")
    if reply != CUT:
        assert reply in text(found, step)
        assert server.mails == []
    assert found.temporary == (reply == CUT or reply[0] == "4")


def test_each_step_is_taken_alone_though_the_server_could_take_them_together(
    doctor: Doctor, postfix: Callable[..., Postfix]
) -> None:
    """Else nobody could tell how far it came: Postfix has PIPELINING, and answers to DATA after a refusal, too."""
    refusing = {"smtpd_recipient_restrictions": f"check_recipient_access inline:{{{JOE}=REJECT}}"}
    found = doctor.sends(way(postfix(options=refusing).smtp))
    assert failure(found)[0] == "recipient"
    assert "Access denied" in found.reason


def test_what_was_given_up_is_not_sent_too_late(
    doctor: Doctor, faulty_smtp: Callable[..., FaultySmtp], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody was told that the mail was not sent, and the server answers after that."""
    monkeypatch.setattr("emaild.jobs.examine.LONGEST", 0.5)
    server = faulty_smtp(replies={"RCPT": [HOLD]})
    found = doctor.sends(way(server.smtp))
    assert failure(found)[0] == "recipient"
    server.release()
    eventually(lambda: "examine one" not in [thread.name for thread in threading.enumerate()])
    assert server.mails == []


def test_data_that_is_refused_before_the_mail_is_told(doctor: Doctor, scripted: Callable[..., Scripted]) -> None:
    server = scripted(SmtpScript({"DATA": says("554 5.3.4 not today")}))
    assert failure(doctor.sends(way(server.port)))[0] == "data"


def test_a_mail_that_the_server_cannot_take_is_told_before_it_is_offered(
    doctor: Doctor, faulty_smtp: Callable[..., FaultySmtp]
) -> None:
    found = doctor.sends(way(faulty_smtp(size_limit=100).smtp), raw=b"Subject: x\r\n\r\n" + b"x" * 60 + b"\r\n" * 100)
    assert not found.works
    assert "the server takes 100 at most" in found.reason


# Tokens, Graph and Exchange


@contextmanager
def cloud(authority: Authority, authorization: AuthorizationServer) -> Iterator[tuple[GraphServer, dict[str, Any]]]:
    """A Graph that takes the authority's tokens, and the fields of a section there."""
    authorization.realm.clients["emaild"] = Client("emaild", secret="application's")
    with GraphServer(authority) as server:
        server.accepts = lambda token: authorization.realm.active(token) is not None
        server.mailbox(ANN)
        yield (
            server,
            {
                "server": server.url,
                "ca_file": authority.ca_file,
                "tenant_authority": authorization.url,
                "directory_id": "contoso",
                "client_id": "emaild",
                "grant_type_given": GrantType.CLIENT_CREDENTIALS,
                "password": Secret("application's"),
            },
        )


def test_graph_tells_its_token_and_its_folder_and_sends_a_test_mail(
    doctor: Doctor, authority: Authority, authorization: AuthorizationServer
) -> None:
    with cloud(authority, authorization) as (server, given):
        found = doctor(MailboxSection(name="pop-client", type=MailboxType.GRAPH, mailbox=ANN, **given))
        assert (found.works, names(found, FAILED), names(found)[0]) == (True, [], "token")
        assert "INBOX" in text(found, "folder")
        assert text(found, "token").startswith(f"for {ANN}, until 20")
        assert {asked.method for asked in server.asked} == {"GET"}
        by_graph = WayOutSection(name="smtp-client", server_type=ServerType.GRAPH, user=ANN, **given)
        raw = f"From: {ANN}\r\nTo: {JOE}\r\nSubject: x\r\nMessage-ID: <x@y>\r\n\r\nHello\r\n".encode()
        sent = doctor.sends(by_graph, raw=raw)
        assert sent.works
        assert "/sendMail: 202" in text(sent, "request")
        server.fail("POST", 403, "ErrorSendAsDenied")
        assert failure(doctor.sends(by_graph, raw=raw))[0] == "request"
        assert all("application's" not in step.text for step in (*found.steps, *sent.steps))


def test_a_token_that_the_authority_does_not_give_fails_at_the_token(
    doctor: Doctor, authority: Authority, authorization: AuthorizationServer
) -> None:
    with cloud(authority, authorization) as (server, given):
        wrong = given | {"password": Secret("not the application's")}
        found = doctor(MailboxSection(name="pop-client", type=MailboxType.GRAPH, mailbox=ANN, **wrong))
        assert failure(found)[0] == "token"
        assert server.asked == []


def test_a_token_that_was_revoked_fails_where_it_is_shown(
    doctor: Doctor, authority: Authority, authorization: AuthorizationServer
) -> None:
    with cloud(authority, authorization) as (server, given):
        server.accepts = lambda token: False
        found = doctor(MailboxSection(name="pop-client", type=MailboxType.GRAPH, mailbox=ANN, **given))
    assert not found.works
    assert "the token was refused" in found.reason


def test_a_token_that_an_smtp_server_refuses_is_told_with_each_try(
    doctor: Doctor, scripted: Callable[..., Scripted], authority: Authority, authorization: AuthorizationServer
) -> None:
    server = scripted(SmtpScript({"EHLO": says("250-x", "250 AUTH XOAUTH2"), "AUTH": says("535 5.7.3 no")}))
    with cloud(authority, authorization) as (_, given):
        fields = given | {"server": "localhost", "smtp": SmtpProperties(auth_mechanisms=("XOAUTH2",))}
        found = doctor(way(server.port, user=ANN, **fields))
    assert names(found, FAILED) == ["sign-in", "sign-in"]
    assert text(found, "sign-in").startswith(f"XOAUTH2 as {ANN}; 535 5.7.3")


@pytest.mark.parametrize("sends", [False, True])
def test_exchange_tells_its_requests_and_a_wrong_password(doctor: Doctor, authority: Authority, sends: bool) -> None:
    with Exchange(authority) as server:
        server.mailbox(ANN)

        def made(password: str) -> Section:
            given: dict[str, Any] = {"server": server.url, "ca_file": authority.ca_file, "password": Secret(password)}
            if sends:
                return WayOutSection(name="smtp-client", server_type=ServerType.EWS, user=ANN, **given)
            return MailboxSection(name="pop-client", type=MailboxType.EWS, mailbox=ANN, **given)

        found = doctor(made(PASSWORD))
        assert found.works
        assert names(found)[:4] == ["name", "connect", "TLS", "request"]
        assert failure(doctor(made("wrong")))[0] == "request"
        if sends:
            by_exchange = made(PASSWORD)
            assert isinstance(by_exchange, WayOutSection)
            assert doctor.sends(by_exchange).works
            assert "CreateItem" in server.asked


def test_what_the_doctor_reads_is_only_looked_at(doctor: Doctor, scripted: Callable[..., Scripted]) -> None:
    server = scripted(ImapScript({1: mail("one")}))
    assert doctor(section(IMAP, server.port, "x", imap=ImapProperties(peek=False))).works
    said = {line.split()[3] for line in server.transcript if " C: " in line}
    assert ("EXAMINE" in said, {"SELECT", "STORE"} & said) == (True, set())


def test_a_fault_of_ours_is_a_finding_in_one_line_and_names_no_values(
    doctor: Doctor, faulty_smtp: Callable[..., FaultySmtp]
) -> None:
    finding = doctor(way(faulty_smtp().smtp, connect_timeout="hunter2"))
    assert not finding.works
    assert finding.reason.startswith("internal error: TypeError in ")
    assert (finding.steps[-1].state, finding.steps[-1].text.endswith(finding.reason)) == (FAILED, True)
    assert "hunter2" not in repr(finding)
    assert finding.advice == "this is a fault of emaild itself; please report it"

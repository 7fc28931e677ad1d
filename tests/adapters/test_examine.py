"""A mailbox or a way out is examined step by step: what failed is named, with its cause, and nothing is changed."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from emaild.jobs.examine import examined
from emaild.settings.mailbox import MailboxType
from emaild.settings.network import ProxySection, ProxyType
from emaild.settings.properties import ImapProperties
from emaild.settings.server import Security
from emaild.settings.way_out import ServerType, WayOutSection
from tests.adapters import certificates
from tests.adapters.examining import (
    ANN,
    FAILED,
    IMAP,
    OK,
    POP3,
    SKIPPED,
    Doctor,
    failure,
    names,
    text,
    way,
)
from tests.adapters.scripts import ImapScript, SmtpScript
from tests.adapters.turns import mail, section
from tests.servers.authority import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.faulty_smtp import FaultySmtp
from tests.servers.ports import LOOPBACK
from tests.servers.postfix import Postfix
from tests.servers.proxies import FORBIDDEN, ProxyProgram
from tests.servers.scripted import Dialog, Scripted

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

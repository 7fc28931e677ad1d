"""What emaild and the system say themselves, as the table of causes has it: each brought about for real."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from emaild.errors import RemoteError
from emaild.jobs.trial import trial
from emaild.net.oauth import Sealed
from emaild.settings.properties import SmtpProperties
from emaild.settings.secret import Secret
from emaild.settings.server import Security
from emaild.settings.way_out import ServerType, WayOutSection
from emaild.sinks.eml import Eml
from tests.adapters.causes import Heard, Sample, at, fresh, heard, of_error
from tests.adapters.certificates import DAY, Chain, Demanding, Old, locked, of_kind, shown
from tests.adapters.ews_ways import young
from tests.adapters.scripts import SmtpScript, says
from tests.adapters.ways import Sinks, Way
from tests.clock import ManualClock
from tests.servers.authority import Authority
from tests.servers.ports import ReservedPort
from tests.servers.scripted import Dialog, Scripted, hang_up, silent

NOBODY = "127.0.0.1"
BETWEEN_PARTS = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n\xe4\r\n--x\r\n\r\nHello\r\n--x--\r\n"
Handler = Callable[[Dialog], None]


class Stage(ExitStack):
    """Servers and ways out that end with the scene."""

    def __init__(self, authority: Authority, folder: Path) -> None:
        super().__init__()
        self.authority, self.folder = authority, folder
        self._sinks = self.enter_context(Sinks())

    def free_port(self) -> int:
        port = ReservedPort()
        self.callback(port.release)
        return port.number

    def server(self, handler: Handler, **given: Any) -> int:
        """Its port."""
        return self.enter_context(Scripted(handler, **given)).port

    def way(self, port: int, **given: Any) -> Way:
        return self._sinks(port, **given)

    def heard(self, port: int, **given: Any) -> Heard:
        """What a way out to that port fails with."""
        return heard(self.way(port, **given))

    def tls(self, authority: Authority, security: Security = Security.SSL_TLS, **given: Any) -> Heard:
        """The same, of a server that shows what *authority* has; we trust its CA."""
        over_tls = security is Security.SSL_TLS
        port = self.server(SmtpScript() if over_tls else starting_tls, authority=authority, tls=over_tls)
        return self.heard(port, **{"security_given": security, "ca_file": self.authority.ca_file} | given)


def starting_tls(dialog: Dialog) -> None:
    """An SMTP server that offers STARTTLS, and goes on in it."""
    dialog.send("220 ready")
    dialog.expect("EHLO .*")
    dialog.send("250-mail.example.com", "250 STARTTLS")
    dialog.expect("STARTTLS")
    dialog.send("220 go ahead")
    dialog.start_tls()
    dialog.wait_for_end()


def resetting(dialog: Dialog) -> None:
    dialog.send("220 ready")
    dialog.readline()
    dialog.reset()


def other_protocol(dialog: Dialog) -> None:
    dialog.send("* OK [CAPABILITY IMAP4rev1] ready")
    dialog.wait_for_end()


def proxy_that_wants_a_password(dialog: Dialog) -> None:
    dialog.readline()
    dialog.send("HTTP/1.1 407 Proxy Authentication Required", "")


# The mail and its way


def eight_bit(stage: Stage) -> Heard:
    return heard(stage.way(stage.server(SmtpScript())), fresh(raw=BETWEEN_PARTS))


def not_ascii(stage: Stage) -> Heard:
    return heard(stage.way(stage.server(SmtpScript())), young("jörg@example.com"))


def too_big(stage: Stage) -> Heard:
    limited = SmtpScript({"EHLO": says("250-mail.example.com", "250 SIZE 20")})
    return stage.heard(stage.server(limited))


def strange_option(stage: Stage) -> Heard:
    return stage.heard(stage.server(SmtpScript()), smtp=SmtpProperties(from_="joe@example.com>\r\nRSET"))


def no_key(stage: Stage) -> Heard:
    return stage.heard(stage.server(SmtpScript()), dkim_domain="example.com", dkim_selector="one")


def no_folder(stage: Stage) -> Heard:
    section = WayOutSection(name="smtp-client", server_type=ServerType.EML, eml_directory=stage.folder / "none")
    return heard(Way(Eml(section)))


def no_folder_for_the_doctor(stage: Stage) -> Heard:
    section = WayOutSection(name="smtp-client", server_type=ServerType.EML, eml_directory=stage.folder / "none")
    with pytest.raises(RemoteError) as failed:
        list(trial(section, proxy=None, sealed=Sealed(stage.folder), clock=ManualClock()))
    return of_error(failed.value)


# The connection


def taken_port(stage: Stage) -> Heard:
    port = stage.server(silent)
    taken = SmtpProperties(localaddress=NOBODY, localport=port)
    return stage.heard(stage.server(silent), smtp=taken)


def strange_address(stage: Stage) -> Heard:
    return stage.heard(stage.server(silent), smtp=SmtpProperties(localaddress="192.0.2.77"))


def proxy(stage: Stage, handler: Handler | None = None) -> Heard:
    port = stage.server(handler) if handler else stage.free_port()
    through = SmtpProperties(proxy_host=NOBODY, proxy_port=port)
    return stage.heard(25, server="mail.example.com", smtp=through)


# TLS


def without_certificate(stage: Stage) -> Heard:
    return stage.tls(of_kind(Demanding, stage.authority))


def file_for_tls(stage: Stage, certificate: Path, key: Path, password: str | None = None) -> Heard:
    given = {"client_certificate": certificate, "client_key": key}
    given_password = {"client_key_password": Secret(password)} if password else {}
    return stage.heard(stage.free_port(), security_given=Security.SSL_TLS, **given, **given_password)


def junk(stage: Stage) -> Path:
    file = stage.folder / "junk.pem"
    file.write_text("junk\n")
    return file


def locked_key(stage: Stage, password: str | None) -> Heard:
    key = locked(stage.authority.key_file, stage.folder, "hunter2")
    return file_for_tls(stage, stage.authority.cert_file, key, password)


def of_another_name(stage: Stage, server: str) -> Heard:
    return stage.tls(shown(stage.authority, stage.folder, host="other.example.com"), server=server)


# Signing in


def offering(stage: Stage, *offered: str) -> Heard:
    port = stage.server(SmtpScript({"EHLO": says("250-mail.example.com", *offered, "250 OK")}))
    return stage.heard(port, user="joe", smtp=SmtpProperties(auth_ntlm_disable=True))


SCENES: Mapping[str, Callable[[Stage], Heard]] = {
    "eight-bit-refused-1": eight_bit,
    "smtputf8-missing-1": not_ascii,
    "too-big-2": too_big,
    "sender-option-unusable-1": strange_option,
    "dkim-key-unusable-1": no_key,
    "folder-missing-1": no_folder,
    "folder-missing-2": no_folder_for_the_doctor,
    "answer-not-understood-1": lambda stage: stage.heard(stage.server(other_protocol)),
    "connection-broken-1": lambda stage: stage.heard(stage.server(resetting)),
    "connection-broken-2": lambda stage: stage.heard(stage.server(hang_up)),
    "connection-refused-1": lambda stage: stage.heard(stage.free_port()),
    "connection-timed-out-1": lambda stage: stage.heard(
        stage.server(silent), security_given=Security.SSL_TLS, connect_timeout=0.2
    ),
    "connection-timed-out-2": lambda stage: stage.heard(stage.server(silent), protocol_timeout=0.2),
    "local-address-wrong-1": strange_address,
    "local-address-wrong-2": taken_port,
    "proxy-refuses-1": lambda stage: proxy(stage, proxy_that_wants_a_password),
    "proxy-refuses-2": proxy,
    "certificate-expired-1": lambda stage: stage.tls(shown(stage.authority, stage.folder, begin=-2 * DAY)),
    "certificate-not-yet-valid-1": lambda stage: stage.tls(
        shown(stage.authority, stage.folder, begin=DAY), Security.START_TLS
    ),
    "certificate-other-name-1": lambda stage: of_another_name(stage, "localhost"),
    "certificate-other-name-2": lambda stage: of_another_name(stage, NOBODY),
    "certificate-untrusted-1": lambda stage: stage.tls(stage.authority, ca_file=stage.authority.other_ca_file),
    "certificate-untrusted-2": lambda stage: stage.tls(
        shown(stage.authority, stage.folder, by_itself=True), Security.START_TLS
    ),
    "certificate-untrusted-3": lambda stage: stage.tls(
        of_kind(Chain, stage.authority), ca_file=stage.authority.other_ca_file
    ),
    "client-certificate-refused-1": without_certificate,
    "certificate-file-unusable-1": lambda stage: file_for_tls(stage, stage.folder / "none", stage.authority.key_file),
    "certificate-file-unusable-2": lambda stage: file_for_tls(stage, junk(stage), stage.authority.key_file),
    "certificate-file-unusable-3": lambda stage: file_for_tls(
        stage, stage.authority.cert_file, stage.authority.ca_file.with_name("ca.key")
    ),
    "certificate-file-unusable-4": lambda stage: locked_key(stage, None),
    "secret-unreadable-1": lambda stage: locked_key(stage, "wrong"),
    "starttls-not-offered-1": lambda stage: stage.heard(stage.server(SmtpScript()), security_given=Security.START_TLS),
    "tls-different-1": lambda stage: stage.heard(stage.server(SmtpScript()), security_given=Security.SSL_TLS),
    "tls-different-2": lambda stage: stage.tls(of_kind(Old, stage.authority), Security.START_TLS),
    "sign-in-no-common-way-1": lambda stage: offering(stage, "250-AUTH GSSAPI NTLM"),
    "sign-in-not-offered-1": offering,
}
"""By the sample that they bring about."""


@pytest.mark.parametrize("sample", at("emaild", these=SCENES))
def test_what_we_say_ourselves_leads_to_its_cause(authority: Authority, tmp_path: Path, sample: Sample) -> None:
    with Stage(authority, tmp_path) as stage:
        found = SCENES[str(sample)](stage)
    assert found.cause == sample.cause
    assert bare(found.words) == bare(sample.words)
    assert found.action == sample.action


def bare(words: str) -> str:
    """Without what is different each time."""
    return re.sub(r"'[^']*'|SECTION|smtp-client|(?<=^ask )\S+(?= for a token$)|\[[a-z.*]+\]|\S*[0-9/@]\S*", "#", words)

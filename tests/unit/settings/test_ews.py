"""Sections of Exchange Web Services: what they must have, and what is said of what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from emaild.errors import ConfigError
from emaild.net.ews.place import place_of
from emaild.settings import extras
from emaild.settings.load import Settings, load
from emaild.settings.mailbox import MailboxSection
from emaild.settings.server import Security

BOX = "[pop-client]\ntype = EWS\nserver = {server}\nmailbox = ann@example.com\npassword = x\n{more}"
WAY = "[smtp]\nserver-type = ews\nserver = {server}\nuser = ann@example.com\npassword = x\n{more}"
URL = "https://owa.example.com/ews/exchange.asmx"


def loaded(folder: Path, text: str, server: str = URL, more: str = "") -> Settings:
    conf = folder / "emaild.conf"
    conf.write_text(text.format(server=server, more=more), encoding="utf-8")
    conf.chmod(0o600)
    return load(conf)


def faults(folder: Path, text: str, server: str = URL, more: str = "") -> list[str]:
    with pytest.raises(ConfigError) as wrong:
        loaded(folder, text, server, more)
    return [line.partition(": ")[2] for line in wrong.value.lines]


def test_sections_are_served_without_a_warning(tmp_path: Path) -> None:
    settings = loaded(tmp_path, BOX + WAY)
    assert list(settings.read_mailboxes()) == ["pop-client"]
    assert len(settings.used_ways_out()) == 1
    assert settings.warnings == ()


@pytest.mark.parametrize("text", [BOX, WAY], ids=["mailbox", "way out"])
def test_server_must_be_a_url(tmp_path: Path, text: str) -> None:
    for wrong in ("owa.example.com", "ftp://owa.example.com/", "https://ann:x@owa.example.com/", "https://:443/"):
        (fault,) = faults(tmp_path, text, server=wrong)
        assert "server: " in fault
        assert "https://owa.example.com/ews/exchange.asmx" in fault or "expected" in fault


@pytest.mark.parametrize("text", [BOX, WAY], ids=["mailbox", "way out"])
def test_version_must_be_one_that_a_request_may_name(tmp_path: Path, text: str) -> None:
    assert loaded(tmp_path, text, more="exchange-version = Exchange2010_SP2\n")
    (fault,) = faults(tmp_path, text, more="exchange-version = 2019\n")
    assert "exchange-version: expected Exchange2016, Exchange2015" in fault


def test_folder_for_failed_mails_must_be_named(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, BOX, more="move-failed-ews-item = true\n")
    assert "move-failed-ews-item: it needs its partner, failed-items-folder-name" in fault


@pytest.mark.parametrize("text", [BOX, WAY], ids=["mailbox", "way out"])
def test_missing_extra_is_told_beside_other_mistakes(
    tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extras, "EWS_PACKAGE", "a_package_that_nobody_has")
    found = faults(tmp_path, text, more="exchange-version = 2019\n")
    assert len(found) == 2
    assert "type: EWS needs the extra 'ews'; 'pip install emaild[ews]' would be right" in found[0]


@pytest.mark.parametrize(
    ("url", "port", "host", "expected", "security"),
    [
        (URL, None, "owa.example.com", 443, Security.SSL_TLS),
        ("http://owa.example.com/EWS/Exchange.asmx", None, "owa.example.com", 80, Security.NONE),
        (URL, 8443, "owa.example.com", 8443, Security.SSL_TLS),
        ("https://owa.example.com:444/ews/exchange.asmx", 8443, "owa.example.com", 444, Security.SSL_TLS),
        ("HTTPS://OWA.example.com", None, "owa.example.com", 443, Security.SSL_TLS),
        ("https://[::1]/ews/exchange.asmx", None, "::1", 443, Security.SSL_TLS),
    ],
)
def test_url_says_where_to_connect_and_whether_to_encrypt(
    url: str, port: int | None, host: str, expected: int, security: Security
) -> None:
    """The guide: pop-connection-security has no effect with EWS."""
    section = MailboxSection(
        name="pop-client", server=url, port_given=port, mailbox="a", security_given=Security.START_TLS
    )
    peer = place_of(section).peer
    assert (peer.host, peer.port, peer.security, peer.starttls_required) == (host, expected, security, False)
    assert place_of(section).url.lower().endswith("/ews/exchange.asmx")

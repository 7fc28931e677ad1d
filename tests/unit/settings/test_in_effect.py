"""What `emaild show` shows: values in effect as they could be typed, and where each comes from."""

from __future__ import annotations

from typing import Any

import pytest

from emaild.settings.describe.in_effect import Row, in_effect
from emaild.settings.describe.typed import shown
from emaild.settings.option import Option, options
from emaild.settings.property_map import CLASSES, PROPERTIES, Treatment
from emaild.settings.reader import SECTIONS
from tests.conf_files import MAILBOX, ConfFiles

DECLARED = [one for kind in (*SECTIONS, *CLASSES.values()) for one in options(kind)]
PROXY = "[proxy]\nuseProxy = true\nhost = proxy.example.com\nport = 1080\n"


def rows(conf: ConfFiles, content: str, section: str = "pop-client") -> dict[str, Row]:
    """The rows of one section by option, origins without the folder's name."""
    found = in_effect(conf.load(content), section)
    assert {row.section for row in found} == {section}
    assert len({row.option for row in found}) == len(found)
    return {row.option: row for row in found}


def said(conf: ConfFiles, row: Row) -> tuple[str, str]:
    """Value and origin."""
    return row.value, row.origin.replace(f"{conf.folder}/", "")


@pytest.mark.parametrize("protocol", ["pop3", "imap", "smtp"])
def test_every_property_of_the_sections_own_protocol_is_shown_and_none_of_another(
    conf: ConfFiles, protocol: str
) -> None:
    if protocol == "smtp":
        found = rows(conf, "[smtp-client]\nserver = localhost\n", "smtp-client")
    else:
        found = rows(conf, f"[pop-client]\n{MAILBOX}type = {protocol}\n")
    known = {one.name for one in PROPERTIES.values() if one.group in (protocol, "mime")}
    elsewhere = "mail.transport.protocol" if protocol != "smtp" else "mail.store.protocol"
    known |= {name for one in PROPERTIES.values() if not one.group for name in [one.name]}
    properties = {name for name in found if name.startswith("mail.")}
    assert properties == known - {elsewhere, "mail.ews.auth.mechanisms"}
    assert all(found[name].category == PROPERTIES[name.lower()].treatment for name in properties)
    assert {row.category for name, row in found.items() if name not in properties} == {"option"}


def test_a_controlled_property_has_the_value_and_the_place_of_the_option_that_controls_it(conf: ConfFiles) -> None:
    found = rows(
        conf,
        "[pop-client]\ntype = IMAP\nserver = localhost\nmailbox = ann\npassword = x\nprotocol-timeout = 1500ms\n"
        "connect-timeout = 00:00:07\npop-connection-security = ssl-tls\n" + PROXY,
    )
    controlled = {name: said(conf, row) for name, row in found.items() if row.category == Treatment.CONTROLLED}
    security = "pop-connection-security (emaild.conf:8)"
    assert controlled == {
        "mail.imap.host": ("localhost", "server (emaild.conf:3)"),
        "mail.imap.port": ("993", "port (default)"),
        "mail.imap.user": ("ann", "mailbox (emaild.conf:4)"),
        "mail.imap.timeout": ("1500", "protocol-timeout (emaild.conf:6)"),
        "mail.imap.connectiontimeout": ("7000", "connect-timeout (emaild.conf:7)"),
        "mail.imap.socketFactory.class": ("javax.net.ssl.SSLSocketFactory", security),
        "mail.imap.socketFactory.fallback": ("false", security),
        "mail.imap.socketFactory.port": ("993", "port (default)"),
        "mail.imap.socks.host": ("proxy.example.com", "[proxy] host (emaild.conf:11)"),
        "mail.imap.socks.port": ("1080", "[proxy] port (emaild.conf:12)"),
        "mail.debug": ("false", "enable-debug (default)"),
        "mail.host": ("localhost", "server (emaild.conf:3)"),
        "mail.user": ("ann", "mailbox (emaild.conf:4)"),
    }
    internal = {name: said(conf, row) for name, row in found.items() if row.category == Treatment.INTERNAL}
    assert internal == {
        "mail.imap.class": ("emaild's own", "emaild"),
        "mail.store.protocol": ("imap", "type (emaild.conf:2)"),
    }


def test_what_controls_the_properties_of_a_way_out(conf: ConfFiles) -> None:
    lines = "server = localhost\nenable-authentication = yes\nuser = bob\npassword = x\n"
    found = rows(conf, f"[smtp-client]\n{lines}", "smtp-client")
    assert said(conf, found["mail.smtp.auth"]) == ("true", "enable-authentication (emaild.conf:3)")
    assert said(conf, found["mail.smtp.user"]) == ("bob", "user (emaild.conf:4)")
    assert said(conf, found["mail.transport.protocol"]) == ("smtp", "server-type (default)")


@pytest.mark.parametrize(
    ("line", "proxy"),
    [("", ""), ("proxy = none", PROXY), ("mail.pop3.proxy.host = p", PROXY), ("", PROXY + "proxy-type = http\n")],
)
def test_no_socks_proxy_is_shown_where_none_is_used(conf: ConfFiles, line: str, proxy: str) -> None:
    found = rows(conf, f"[pop-client]\n{MAILBOX}{line}\n{proxy}")
    assert (found["mail.pop3.socks.host"].value, found["mail.pop3.socks.port"].value) == ("", "")


@pytest.mark.parametrize(
    ("lines", "option", "value", "origin"),
    [
        ("enable-ssl = true", "pop-connection-security", "ssl-tls", "enable-ssl (emaild.conf:5)"),
        ("mail.pop3.ssl.enable = 1", "pop-connection-security", "ssl-tls", "mail.pop3.ssl.enable (emaild.conf:5)"),
        (
            "mail.pop3.starttls.required = yes",
            "pop-connection-security",
            "start-tls",
            "mail.pop3.starttls.required (emaild.conf:5)",
        ),
        ("enable-ssl = true", "mail.pop3.socketFactory.fallback", "false", "enable-ssl (emaild.conf:5)"),
        ("pop-connection-security = automatic", "mail.pop3.socketFactory.fallback", "true", None),
        ("enable-ssl = true", "port", "995", "default"),
        (
            "enable-ssl = true\nmail.pop3.ssl.socketFactory.port = 9995",
            "port",
            "9995",
            "mail.pop3.ssl.socketFactory.port (emaild.conf:6)",
        ),
        ("port = 1110\nmail.pop3.ssl.socketFactory.port = 9995", "port", "1110", "emaild.conf:5"),
        ("", "pop-connection-security", "none", "default"),
        (
            "type = IMAP\nmail.imap.fetchsize = 9",
            "mail.imap.partialfetch",
            "true",
            "mail.imap.fetchsize (emaild.conf:6)",
        ),
        ("type = IMAP\nmail.imap.fetchsize = 9", "mail.imap.fetchsize", "9", "emaild.conf:6"),
        ("mail.mime.cachemultipart = true", "mail.mime.cachemultipart", "", "emaild.conf:5"),
        ("", "mail.mime.applefilenames", "true", "emaild"),
    ],
)
def test_a_value_that_another_line_decides_names_that_line(
    conf: ConfFiles, lines: str, option: str, value: str, origin: str | None
) -> None:
    row = rows(conf, f"[pop-client]\n{MAILBOX}{lines}\n")[option]
    assert said(conf, row) == (value, origin or "pop-connection-security (emaild.conf:5)")


def test_graph_says_how_it_signs_in(conf: ConfFiles) -> None:
    found = rows(conf, "[pop-client]\ntype = GRAPH\nmailbox = m\npassword = x\nclient-id = c\ndirectory-id = d\n")
    assert found["mail.graph.auth.mechanisms"].value == "XOAUTH2"
    assert not any(name.startswith(("mail.pop3", "mail.imap", "mail.ews")) for name in found)


def test_without_a_section_the_options_of_all_are_shown_and_no_property(conf: ConfFiles) -> None:
    found = in_effect(conf.load(f"[pop-client]\n{MAILBOX}[endpoints:1]\nSales = queue-s\n[smtp-client]\nserver = s\n"))
    assert {row.section for row in found} >= {"emaild", "pop-client", "smtp-client", "endpoints:1", "log"}
    assert {row.category for row in found} == {"option"}
    (sales,) = [row for row in found if row.section == "endpoints:1"]
    assert (sales.option, *said(conf, sales)) == ("Sales", "queue-s", "emaild.conf:6")


def test_the_parameters_of_a_rules_service_are_shown(conf: ConfFiles) -> None:
    found = rows(conf, "[rule-x]\nservice = Forward\nTo = a@b.c\nFieldCodes.A = 1\n", "rule-x")
    assert {name: (row.value, said(conf, row)[1]) for name, row in found.items() if name in ("To", "FieldCodes.A")} == {
        "To": ("a@b.c", "emaild.conf:3"),
        "FieldCodes.A": ("1", "emaild.conf:4"),
    }


def test_what_is_set_and_has_no_effect_is_marked(conf: ConfFiles) -> None:
    found = rows(conf, "[email-processing]\nsocket-timeout = 9\n", "email-processing")
    assert {name: row.mark for name, row in found.items() if row.mark} == {"socket-timeout": "no effect here"}


@pytest.mark.parametrize("declared", [one for one in DECLARED if not one.parser.secret], ids=lambda one: one.name)
def test_a_default_is_shown_as_it_could_be_typed(declared: Option) -> None:
    if declared.default is not None:
        value = declared.parser.read(declared.default)
        assert declared.parser.read(shown(value, declared)) == value


@pytest.mark.parametrize(
    ("option", "typed", "text"),
    [
        ("message-lifetime", "365d", "31536000s"),
        ("reload-quiet", "250ms", "0.25s"),
        ("begin-date", "2026-01-31", "2026-01-31"),
        ("maximum-msg-size", "10", "10 MiB"),
        ("maximum-msg-size", "10k", "10 KiB"),
        ("maximum-msg-size", "1001 b", "1001 B"),
        ("maximum-msg-size", "0", "0 B"),
        ("segment", "10 mb", "10240 KB"),
        ("segment", "24hr", "24 hr"),
        ("segment", "false", "false"),
        ("expire", "30 day", "30 day"),
        ("expire", "7", "7"),
        ("keep-startup-file", "500 KB", "500 KB"),
        ("keep-startup-file", "true", "true"),
        ("port", "", ""),
        ("quote-prefix", '"| "', '"| "'),
        ("dsn.notify", "SUCCESS DELAY", "SUCCESS, DELAY"),
    ],
)
def test_a_value_is_shown_as_it_could_be_typed(option: str, typed: str, text: str) -> None:
    declared = next(one for one in DECLARED if one.name == option)
    value: Any = declared.parser.read(typed)
    assert shown(value, declared) == text
    assert declared.parser.read(text) == value


def test_a_section_that_is_not_there_has_no_rows(conf: ConfFiles) -> None:
    assert in_effect(conf.load(""), "pop-client") == []

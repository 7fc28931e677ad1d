"""What becomes of an export: names, values, and what is left out, each with its reason."""

from __future__ import annotations

import pytest

from emaild.settings.exports.conversion import masked_passwords
from emaild.settings.exports.forms import read_export
from emaild.settings.server import Security
from tests.conf_files import ConfFiles
from tests.unit.settings.exporting import ACCOUNT, EXPORT, box, imported, xml


def test_names_become_ours_and_values_stay_as_they_are(conf: ConfFiles) -> None:
    text = imported(box(Cycle_Time="00:01:00", **{"MAIL.pop3.DisableTop": "true", "Folder_Path": ""})).text
    assert "\ncycle-time = 00:01:00\nmail.pop3.disabletop = true\nfolder-path =\n" in text
    assert conf.load(text).mailboxes["pop-client"].pop3.disabletop


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [
        ("leave-msg-on-server", "true", "unknown option"),
        ("cycle-time", "00:00:00", "expected 0, or a duration from 1s to 1d"),
        ("maximum-msg-number", "many", "expected a whole number from 1 to 100000, found 'many'"),
        ("mail.debug.auth", "true", "it cannot be set: it would write passwords into the log"),
        ("mail.pop3.class", "x.Y", "it cannot be set; emaild sets it itself"),
        ("mail.pop3.socketFactory.class", "x.Y", "the option pop-connection-security controls it"),
        ("mail.pop3.socks.host", "proxy", "it cannot be set; the option [proxy] host controls it"),
        ("mail.pop3.filecache.dir", "/tmp", "it has no effect here: it is about a cache"),
        ("mail.imap.timeout", "60000", "the option protocol-timeout controls it"),
        ("mail.pop3.timeout", "-1", "the option protocol-timeout controls it"),
        ("mail.pop3.nothing", "1", "unknown property"),
    ],
)
def test_what_has_no_meaning_here_is_a_comment_below_its_reason_and_told(
    conf: ConfFiles, option: str, value: str, reason: str
) -> None:
    made = imported(box(**{option: value}))
    (fault,) = made.told
    assert str(fault).startswith(f"export:5: [pop-client] {option}: left out: ")
    assert reason in fault.message
    lines = made.text.splitlines()
    assert reason in lines[-2]
    assert lines[-1] == f"#{option} = {value}"
    assert conf.load(made.text).mailboxes["pop-client"].password.reveal() == "geheim"


def test_options_without_effect_are_comments_and_those_of_later_parts_are_kept(conf: ConfFiles) -> None:
    made = imported("[email-processing]\nsocket-timeout = 00:01:00\nfieldcode-format-locale = de_DE\n")
    assert "\n#socket-timeout = 00:01:00\nfieldcode-format-locale = de_DE\n" in made.text
    assert [fault.option for fault in made.told] == ["socket-timeout"]


def test_sections_of_other_servers_are_comments(conf: ConfFiles) -> None:
    made = imported("[ucs]\npassword = *****\n[chat]\nx = 1\n[log]\nverbose = all\n")
    assert [fault.section for fault in made.told] == ["ucs", "chat"]
    assert "#[ucs]\n#password = *****\n" in made.text
    assert "unknown section" in made.told[1].message
    assert conf.load(made.text).log.verbose == "all"


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"mail.pop3.timeout": "60000"}, "protocol-timeout = 60s"),
        ({"mail.pop3.connectiontimeout": "2500"}, "connect-timeout = 2500ms"),
        ({"mail.pop3.port": "1110"}, "port = 1110"),
        ({"mail.debug": "true"}, "enable-debug = true"),
        ({"type": "imap", "mail.imap.timeout": "1000"}, "protocol-timeout = 1s"),
    ],
)
def test_a_property_that_an_option_controls_becomes_that_option(
    conf: ConfFiles, given: dict[str, str], line: str
) -> None:
    made = imported(box(**given))
    assert made.told == ()
    name, value = list(given.items())[-1]
    assert f"\n# from {name} = {value}\n{line}\n" in made.text
    conf.load(made.text)


def test_an_option_that_is_given_comes_before_its_property(conf: ConfFiles) -> None:
    made = imported(box(**{"mail.pop3.timeout": "60000", "mail.pop3.port": "1", "protocol-timeout": "5m", "port": "2"}))
    read = conf.load(made.text).mailboxes["pop-client"]
    assert (read.protocol_timeout, read.port) == (300, 2)
    assert [fault.option for fault in made.told] == ["mail.pop3.timeout", "mail.pop3.port"]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"type": "FTP"}, "type: expected POP3, IMAP, EWS or GRAPH, found 'FTP'"),
        ({"server": ""}, "server: it is empty"),
        ({"server": "a b"}, "server: expected a host name"),
        ({"mailbox": ""}, "mailbox: it is empty"),
        ({"enable-client": "maybe"}, "enable-client: expected true or false"),
        ({"pop-connection-security": "tls"}, "pop-connection-security: expected none, ssl-tls"),
        ({"proxy": "dmz"}, "proxy: there is no section [proxy-dmz]"),
        ({"password": "file:/no/such/file"}, "password: cannot read /no/such/file"),
    ],
)
def test_a_section_that_would_not_be_what_it_was_is_a_comment_as_a_whole(
    conf: ConfFiles, given: dict[str, str], reason: str
) -> None:
    made = imported(box(**given))
    (fault,) = made.told
    assert str(fault).startswith(f"export:1: [pop-client]: left out, the whole section: {reason}")
    assert "\n#[pop-client]\n" in made.text
    assert conf.load(made.text).mailboxes == {}


def test_values_that_an_ini_line_cannot_hold_are_told() -> None:
    pairs = '<x key="{}" value="{}"/>'
    account = "".join(pairs.format(*item) for item in ACCOUNT.items())
    made = imported(
        xml(f'<list_pair key="pop-client">{account}{pairs.format("scope", "a&#10;[log]&#10;b=c")}</list_pair>')
    )
    assert "\n#scope = a\\n[log]\\nb=c\n" in made.text
    assert made.told[0].option == "scope"
    account = account.replace("geheim", " geheim")
    made = imported(xml(f'<list_pair key="pop-client">{account}</list_pair>'))
    assert "file:PATH" in made.told[0].message
    assert "geheim" not in str(made.told)


@pytest.mark.parametrize("name", ["verbose = none;", "verbose=none&#10;x", "[log", " = verbose"])
def test_an_option_whose_name_an_ini_line_cannot_hold_is_a_comment(conf: ConfFiles, name: str) -> None:
    made = imported(xml(f'<list_pair key="log"><x key="{name}" value="1"/></list_pair>'))
    assert len(made.told) == 1
    assert conf.load(made.text).log.verbose == "trace"


@pytest.mark.parametrize("name", ["a]&#10;[log", "", "DEFAULT", "a]b"])
def test_a_section_whose_name_an_ini_line_cannot_hold_is_a_comment(conf: ConfFiles, name: str) -> None:
    made = imported(xml(f'<list_pair key="log"/><list_pair key="{name}"><x key="verbose" value="all"/></list_pair>'))
    assert conf.load(made.text).log.verbose == "trace"


def test_blanks_at_the_ends_of_quoted_options_stay(conf: ConfFiles) -> None:
    made = imported('Section,Option,Value\nemail-processing,quote-prefix," | "\nemail-processing,quote-to,To:\n')
    processing = conf.load(made.text).processing
    assert (processing.quote_prefix, processing.quote_to) == (" | ", "To:")


def test_an_option_twice_is_told_unless_it_says_the_same() -> None:
    rows = "Section,Option,Value\nlog,verbose,all\nlog,Verbose,all\nlog,verbose,none\nlog,,\n,x,y\n"
    made = imported(rows)
    assert "\nverbose = all\n" in made.text
    assert [str(fault) for fault in made.told] == [
        "export:4: [log] verbose: another value of it stands at export:2; that one was taken",
        "export:6: x: the row names no section; it is left out",
    ]


def test_a_row_that_takes_an_option_away_is_no_option() -> None:
    made = imported("Action,Section,Option,Value\nadd,log,verbose,all\nDelete,log,message-format,text\n")
    assert "message-format =" not in made.text
    assert [str(fault) for fault in made.told] == [
        "export:3: [log] message-format: the row takes it away; it is left out"
    ]


def test_lines_of_an_ini_export_that_cannot_be_understood_are_told(conf: ConfFiles) -> None:
    made = imported("[log]\nverbose = all\n  continued\nverbose = none\nnonsense\n[emaild]\ninclude = *.conf\n")
    assert [fault.place.line for fault in made.told] == [3, 4, 5, 7]
    assert conf.load(made.text).log.verbose == "all"
    assert all(f"# Left out: {fault}" in made.text for fault in made.told[:3])


@pytest.mark.parametrize("mask", ["*", "*****", " ** "])
def test_masked_passwords_are_found_by_name(mask: str) -> None:
    rows = (
        f"Section,Option,Value\npop-client,Password,{mask}\nproxy,password,{mask}\nlog,x,{mask}\nsecret-g,password,a*\n"
    )
    found = masked_passwords(read_export(EXPORT, rows.encode())[0])
    assert [(fault.place.line, fault.section, fault.option) for fault in found] == [
        (2, "pop-client", "Password"),
        (3, "proxy", "password"),
    ]


def test_security_that_cannot_be_read_never_becomes_none(conf: ConfFiles) -> None:
    """The other values of a section must not make it connect in the clear."""
    made = imported("[smtp-client]\nserver = s\nsmtp-connection-security = tls1.2\n")
    assert conf.load(made.text).ways_out == {}
    made = imported("[smtp-client]\nserver = s\nsmtp-connection-security = SSL-TLS\n")
    assert conf.load(made.text).ways_out["smtp-client"].security is Security.SSL_TLS

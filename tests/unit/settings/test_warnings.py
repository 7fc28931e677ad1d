"""What an operator is warned of: accepted, and yet told at every start and by `emaild check`."""

from __future__ import annotations

from typing import Any

import pytest

from emaild.settings.option import Option, options, section_kind
from emaild.settings.reader import SECTIONS
from tests.conf_files import MAILBOX, ConfFiles

FAR = "[pop-client]\nserver = mail.example.com\nmailbox = ann\npassword = hunter2\n"
NEAR = f"[pop-client]\n{MAILBOX}"
WAY = "[smtp-client]\nserver = localhost\n"
FAR_WAY = "[smtp-client]\nserver = mail.example.com\nenable-authentication = true\nuser = ann\npassword = hunter2\n"
NO_SIGN_IN = (
    "without encryption there will be no sign-in, for the password could be read on the way; ssl-tls or start-tls"
    " would be right"
)
ON_THE_WAY = "a password may travel unencrypted, and anyone on the way can read it"
OF_ANOTHER = "it is of another protocol than this section's, and has no effect"
OTHER_SERVERS = "a section for other servers of Genesys's, without effect here"

GRAPH = "[pop-client]\ntype = graph\nmailbox = ann\npassword = x\nclient-id = c\ndirectory-id = d\n"
GRAPH_WAY = "[smtp-client]\nserver-type = graph\nuser = ann\npassword = x\nclient-id = c\ndirectory-id = d\n"

ENDS = (
    "Exchange Online blocks EWS from 1 October 2026 where the tenant does not allow the application, and has none from"
    " 1 April 2027"
)
WARNINGS = {
    "permission-as-the-guide-spells-it": (
        "[pop-client]\nserver = localhost\nmailbox = ann\nmail.pop3.auth.mechanisms = XOAUTH2\nclient-id = x\n"
        "directory-id = d\ngrant-type = authorization_code\nscope = https://outlook.office.com/POP3.AccessAsUser.All\n",
        "8: [pop-client] scope: Microsoft has no permission called POP3.AccessAsUser.All; POP.AccessAsUser.All would be"
        " right",
    ),
    "password-of-nobody": (
        NEAR
        + "mail.pop3.auth.mechanisms = XOAUTH2\nclient-id = x\ndirectory-id = d\ngrant-type = authorization_code\n",
        "4: [pop-client] password: it has no effect: with grant-type = authorization_code somebody signs in by emaild"
        " login",
    ),
    "token-for-nobody": (
        "[smtp-client]\nserver = localhost\nuser = u\npassword = p\nmail.smtp.auth.mechanisms = XOAUTH2\n",
        "5: [smtp-client] mail.smtp.auth.mechanisms: nobody signs in; enable-authentication = true would be right",
    ),
    "password-that-is-not-used": (
        "[smtp-client]\nserver = localhost\nuser = u\npassword = p\n",
        "4: [smtp-client] password: it is not used, for nobody signs in; enable-authentication = true would be right",
    ),
    "ews-of-exchange-online": (
        "[pop-client]\ntype = EWS\nserver = https://outlook.office365.com/EWS/Exchange.asmx\nmailbox = ann\n"
        "password = x\n",
        f"3: [pop-client] server: {ENDS}; type or server-type graph would be right",
    ),
    "dynamics-16-ews-way-out-of-exchange-online": (
        "[smtp-client]\nserver-type = ews\nserver = https://outlook.office365.com/EWS/Exchange.asmx\nuser = ann\n"
        "password = x\nenable-authentication = true\n",
        f"3: [smtp-client] server: {ENDS}; type or server-type graph would be right",
    ),
    "java-class": (
        NEAR + "mail.pop3.message.class = X\n",
        "5: [pop-client] mail.pop3.message.class: it has no effect here: it names a Java class or object",
    ),
    "java-cache": (
        NEAR + "Mail.Pop3.FileCache.Enable = true\n",
        "5: [pop-client] mail.pop3.filecache.enable: it has no effect here: it is about a cache or an event of the"
        " Java library",
    ),
    "always-so-and-false": (
        NEAR + "mail.mime.base64.ignoreerrors = No\n",
        "5: [pop-client] mail.mime.base64.ignoreerrors: false has no effect: emaild always reads as leniently as this",
    ),
    "imap-in-a-pop3-mailbox": (NEAR + "mail.imap.peek = false\n", f"5: [pop-client] mail.imap.peek: {OF_ANOTHER}"),
    "pop3-in-an-imap-mailbox": (
        NEAR + "type = IMAP\nmail.pop3.disabletop = true\n",
        f"6: [pop-client] mail.pop3.disabletop: {OF_ANOTHER}",
    ),
    "imap-in-a-way-out": (WAY + "mail.imap.peek = false\n", f"3: [smtp-client] mail.imap.peek: {OF_ANOTHER}"),
    "name-not-checked": (
        NEAR + "mail.pop3.ssl.checkserveridentity = false\n",
        "5: [pop-client] mail.pop3.ssl.checkserveridentity: the server's name is not checked against its certificate",
    ),
    "trust": (
        WAY + "mail.smtp.ssl.trust = a.example.com *\n",
        "3: [smtp-client] mail.smtp.ssl.trust: certificates are not verified for a.example.com, *",
    ),
    "proxy-not-used": (
        "[proxy]\nuseProxy = yes\nhost = localhost\nport = 1080\n",
        "2: [proxy] useProxy: only true means that the proxy is used; it is not",
    ),
    "plaintext-allowed": (
        FAR + "allow-plaintext-auth = true\n",
        f"5: [pop-client] allow-plaintext-auth: {ON_THE_WAY}",
    ),
    "plaintext-allowed-for-a-way-out": (
        FAR_WAY + "allow-plaintext-auth = true\n",
        f"6: [smtp-client] allow-plaintext-auth: {ON_THE_WAY}",
    ),
    "no-encryption": (FAR, f"1: [pop-client] pop-connection-security: {NO_SIGN_IN}"),
    "no-encryption-by-choice": (
        FAR + "pop-connection-security = none\n",
        f"5: [pop-client] pop-connection-security: {NO_SIGN_IN}",
    ),
    "no-encryption-for-a-way-out": (FAR_WAY, f"1: [smtp-client] smtp-connection-security: {NO_SIGN_IN}"),
    "unknown-option": (
        "[emaild]\nunknown-options = warn\n[store]\nkeep-histroy = 1\n",
        "4: [store] keep-histroy: unknown option; did you mean keep-history?",
    ),
    "unknown-section": (
        "[emaild]\nunknown-options = warn\n[stoer]\nx = 1\n",
        "3: [stoer]: unknown section; did you mean store?",
    ),
    "unknown-property": (
        "[emaild]\nunknown-options = warn\n" + NEAR + "mail.pop3.disabletopp = 1\n",
        "7: [pop-client] mail.pop3.disabletopp: unknown property; did you mean mail.pop3.disabletop?",
    ),
    "two-sections-of-one-mailbox": (
        NEAR + NEAR.replace("pop-client", "pop-client-b"),
        "7: [pop-client-b] mailbox: it reads the same mailbox as [pop-client]; each mail becomes an interaction of one"
        " of the two",
    ),
    "graph-without-encryption": (
        GRAPH + "server = http://graph.example.com\n",
        "7: [pop-client] server: without encryption there will be no sign-in, and anyone on the way can read the mails;"
        " https would be right",
    ),
    "ews-without-encryption": (
        "[pop-client]\ntype = EWS\nserver = http://a.example/ews\nmailbox = ann\npassword = x\n",
        "3: [pop-client] server: without encryption there will be a sign-in by NTLM alone, and anyone on the way can"
        " read the mails; https would be right",
    ),
    "ews-by-token-without-encryption": (
        "[pop-client]\ntype = EWS\nserver = http://a.example/ews\nmailbox = ann\ngrant-type = authorization_code\n"
        "client-id = c\nmail.ews.auth.mechanisms = XOAUTH2\n",
        "3: [pop-client] server: without encryption there will be no sign-in, and anyone on the way can read the mails;"
        " https would be right",
    ),
    "way-out-by-graph-without-encryption": (
        GRAPH_WAY + "server = http://graph.example.com\nallow-plaintext-auth = true\n",
        "8: [smtp-client] allow-plaintext-auth: a password or token may travel unencrypted, and anyone on the way can"
        " read it",
    ),
}
QUIET = {
    "ews": "[pop-client]\ntype = EWS\nserver = https://a.example/ews\nmailbox = ann\npassword = x\n",
    "graph": GRAPH + GRAPH_WAY,
    "graph-without-encryption-on-this-machine": GRAPH + "server = http://localhost:8080/v1.0\n",
    "nothing-unusual": NEAR + WAY,
    "always-so-and-true": NEAR + "mail.mime.base64.ignoreerrors = true\n",
    "encrypted": FAR + "pop-connection-security = ssl-tls\n",
    "encrypted-by-a-property": FAR + "mail.pop3.ssl.enable = true\n",
    "encrypted-where-the-server-can": FAR + "mail.pop3.starttls.enable = true\n",
    "no-sign-in": "[smtp-client]\nserver = mail.example.com\n",
    "at-rest": FAR + "enable-client = false\nallow-plaintext-auth = true\nmail.pop3.ssl.trust = *\n",
    "two-of-one-mailbox-one-at-rest": NEAR + NEAR.replace("pop-client", "pop-client-b") + "enable-client = no\n",
    "two-folders-of-one-mailbox": NEAR
    + "type = IMAP\nfolder-path = A\n"
    + NEAR.replace("pop-client", "pop-client-b")
    + "type = IMAP\n",
}
GIVEN = {"pop-client": MAILBOX, "smtp-client": "server = localhost\n"}


@pytest.mark.parametrize(("content", "warning"), WARNINGS.values(), ids=WARNINGS)
def test_this_is_accepted_with_one_warning(conf: ConfFiles, content: str, warning: str) -> None:
    assert conf.warnings(content) == [f"emaild.conf:{warning}"]


@pytest.mark.parametrize("content", QUIET.values(), ids=QUIET)
def test_this_is_accepted_without_a_warning(conf: ConfFiles, content: str) -> None:
    assert conf.warnings(content) == []


@pytest.mark.parametrize(
    "name", ["settings", "log-filter", "Log-Filter-Data", "messages", "ucs", "health-service", "UCS"]
)
def test_a_section_for_other_servers_is_passed_over(conf: ConfFiles, name: str) -> None:
    assert conf.warnings(f"[{name}]\nanything = 1\n") == [f"emaild.conf:1: [{name}]: {OTHER_SERVERS}"]


def without_effect() -> list[tuple[type[Any], Option, str]]:
    """Every option that is read and no more, with what is said of it."""
    found = [(kind, option) for kind in SECTIONS for option in options(kind)]
    return [(kind, one, f"it has no effect here: {one.idle}") for kind, one in found if one.idle]


@pytest.mark.parametrize(
    ("kind", "option", "warning"),
    without_effect(),
    ids=[f"{section_kind(kind).name}-{option.name}" for kind, option, _ in without_effect()],
)
def test_an_option_without_effect_says_so(conf: ConfFiles, kind: type[Any], option: Option, warning: str) -> None:
    header = section_kind(kind).spellings[0].replace("NAME", "x")
    value = "hunter2" if option.required else option.default
    content = f"[{header}]\n{option.name} = {value}\n{GIVEN.get(header, '')}"
    assert conf.warnings(content) == [f"emaild.conf:2: [{header}] {option.name}: {warning}"]


def test_a_conf_file_with_a_password_that_every_user_may_read_is_told_of_once(conf: ConfFiles) -> None:
    conf.write(NEAR + WAY + "enable-authentication = true\nuser = u\npassword = x\n").chmod(0o604)
    (warning,) = conf.load().warnings
    path = conf.main
    assert str(warning) == (
        f"{path}:4: [pop-client] password: {path} holds a secret and every user may read it; 'chmod o= {path}' would"
        " be right"
    )


def test_a_password_file_that_every_user_may_read_is_told_of(conf: ConfFiles) -> None:
    secret = conf.write("hunter2\n", "ann")
    content = NEAR.replace("hunter2", f"file:{secret}")
    assert conf.warnings(content) == []
    secret.chmod(0o644)
    (warning,) = conf.warnings(content)
    assert warning.startswith(f"emaild.conf:4: [pop-client] password: {secret} holds a secret")


def test_a_conf_file_without_a_password_may_be_read_by_all(conf: ConfFiles) -> None:
    secret = conf.write("hunter2\n", "ann")
    conf.write(NEAR.replace("hunter2", f"file:{secret}")).chmod(0o644)
    assert conf.load().warnings == ()

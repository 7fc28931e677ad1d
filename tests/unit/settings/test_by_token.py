"""The options of sections that sign in with a token."""

from __future__ import annotations

from pathlib import Path

import pytest

from emaild.settings.by_token import is_https
from emaild.settings.describe.in_effect import in_effect
from emaild.settings.secret import Secret
from tests.conf_files import ConfFiles

APP = "client-id = 0-1-2\n"
BOX = "[pop-client]\ntype = IMAP\nserver = imap.example.com\nmailbox = ann@example.com\npassword = hunter2\n"
BOX += "pop-connection-security = ssl-tls\n"
BY_TOKEN = BOX + "mail.imap.auth.mechanisms = XOAUTH2\n"
WITHOUT = BY_TOKEN.replace("password = hunter2\n", "")
TENANT = "directory-id = contoso.example\n"
WAY = "[smtp-client]\nserver = smtp.example.com\nenable-authentication = true\nuser = ann@example.com\n"
WAY += "smtp-connection-security = ssl-tls\nmail.smtp.auth.mechanisms = XOAUTH2\n"
SECRET = "[secret-g]\npassword = gsecret\n"


def types(content: str, kind: str) -> str:
    """The same section over another protocol."""
    server = "server = https://ews.example.com/ews/exchange.asmx" if kind == "EWS" else "server = imap.example.com"
    content = content.replace("type = IMAP", f"type = {kind}").replace("server = imap.example.com", server)
    if kind == "GRAPH":
        content = content.replace(f"{server}\n", "").replace("mail.imap.auth.mechanisms = XOAUTH2\n", "")
        return content.replace("pop-connection-security = ssl-tls\n", "")
    return content.replace("mail.imap.", f"mail.{kind.lower()}.")


@pytest.mark.parametrize(
    ("kind", "options", "scope"),
    [
        ("IMAP", "", "https://outlook.office.com/.default"),
        ("POP3", "", "https://outlook.office.com/.default"),
        ("GRAPH", "grant-type = password\n", "https://graph.microsoft.com/.default"),
        ("IMAP", "grant-type = client_credentials\n", "https://outlook.office365.com/.default"),
        ("EWS", "grant-type = client_credentials\n", "https://outlook.office365.com/.default"),
        ("GRAPH", "grant-type = client_credentials\n", "https://graph.microsoft.com/.default"),
        ("IMAP", "grant-type = authorization_code\n", "https://outlook.office.com/IMAP.AccessAsUser.All"),
        ("POP3", "grant-type = authorization_code\n", "https://outlook.office.com/POP.AccessAsUser.All"),
        ("EWS", "grant-type = authorization_code\n", "https://outlook.office365.com/EWS.AccessAsUser.All"),
        ("IMAP", "scope = https://own.example.com/read\n", "https://own.example.com/read"),
        ("IMAP", "scope = https://own.example.com/read offline_access openid\n", "https://own.example.com/read"),
        ("IMAP", "scope =\n", "https://outlook.office.com/.default"),
        (
            "IMAP",
            "grant-type = client_credentials\ntenant-authority = https://login.microsoftonline.us\n",
            "https://outlook.office365.us/.default",
        ),
        ("GRAPH", "tenant-authority = https://login.microsoftonline.us/\n", "https://graph.microsoft.us/.default"),
        (
            "GRAPH",
            "tenant-authority = https://login.partner.microsoftonline.cn\n",
            "https://microsoftgraph.chinacloudapi.cn/.default",
        ),
        ("IMAP", "tenant-authority = Google\nsecret = g\n", "https://mail.google.com/"),
    ],
)
def test_scope_in_effect_is_the_one_that_works(conf: ConfFiles, kind: str, options: str, scope: str) -> None:
    settings = conf.load(types(BY_TOKEN, kind) + APP + TENANT + options + SECRET)
    assert settings.mailboxes["pop-client"].scope == scope
    (shown,) = [row.value for row in in_effect(settings, "pop-client") if row.option == "scope"]
    assert shown == scope


def test_way_out_has_the_scope_of_its_own_protocol(conf: ConfFiles) -> None:
    options = APP + "grant-type = authorization_code\n"
    assert conf.load(WAY + options).ways_out["smtp-client"].scope == "https://outlook.office.com/SMTP.Send"


@pytest.mark.parametrize(
    ("content", "uses"),
    [
        (BOX, False),
        (BY_TOKEN + APP, True),
        (BY_TOKEN.replace("XOAUTH2", "oauthbearer") + APP, True),
        (BOX + "mail.imap.sasl.enable = true\nmail.imap.sasl.mechanisms = XOAUTH2\n" + APP, True),
        (BOX + "mail.imap.sasl.mechanisms = XOAUTH2\n" + APP, False),
        (BOX + "mail.imap.auth.mechanisms = PLAIN LOGIN\n", False),
        (types(BY_TOKEN, "GRAPH") + APP + TENANT, True),
    ],
)
def test_section_uses_tokens_where_its_mechanism_carries_one(conf: ConfFiles, content: str, uses: bool) -> None:
    assert conf.load(content).mailboxes["pop-client"].uses_tokens is uses


def test_options_for_tokens_do_not_matter_where_a_password_signs_in(conf: ConfFiles) -> None:
    assert conf.warnings(BOX + "tenant-authority = junk\ndirectory-id = a/b\n") == []


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (BY_TOKEN, "client-id: it is missing"),
        (BY_TOKEN + APP + "tenant-authority = http://login.example.com\n", "tenant-authority: expected a URL such as"),
        (BY_TOKEN + APP + "tenant-authority = login.example.com\n", "tenant-authority: expected a URL such as"),
        (BY_TOKEN + APP + "tenant-authority = https://a.example/?x\n", "tenant-authority: expected a URL such as"),
        (BY_TOKEN + APP + "directory-id = a/b\n", "directory-id: expected a directory"),
        (BY_TOKEN + APP + "grant-type = client_credentials\n", "directory-id: client_credentials needs the ID of one"),
        (
            BY_TOKEN + APP + "directory-id = common\ngrant-type = client_credentials\n",
            "directory-id: client_credentials needs the ID of one",
        ),
        (
            BY_TOKEN + APP + TENANT + "grant-type = client_credentials\nscope = https://outlook.office.com/SMTP.Send\n",
            "scope: client_credentials needs one that ends in /.default",
        ),
        (BY_TOKEN + APP + "application-key = /dev/null\n", "application-key: it needs its partner"),
        (BY_TOKEN + APP + "service-account-file = /dev/null\n", "service-account-file: it is Google's"),
        (WITHOUT + APP, "password: it is missing"),
        (WITHOUT + APP + "password =\n", "password: it is empty"),
        (
            BOX.replace("password = hunter2\n", "grant-type = authorization_code\n"),
            "grant-type: it is about tokens, and needs mail.imap.auth.mechanisms = XOAUTH2",
        ),
        (BOX + "grant-type = client_credentials\n" + APP, "grant-type: it is about tokens"),
        (BOX + "service-account-file = /dev/null\n", "service-account-file: it is about tokens"),
        (
            "[smtp-client]\nserver = a\nuser = u\npassword = p\ngrant-type = client_credentials\n",
            "grant-type: it is about tokens, and needs mail.smtp.auth.mechanisms = XOAUTH2",
        ),
        (
            "[pop-client]\ntype = EWS\nserver = https://a.example/EWS/Exchange.asmx\nmailbox = u\npassword = p\n"
            "grant-type = client_credentials\n",
            "grant-type: it is about tokens, and needs mail.ews.auth.mechanisms = XOAUTH2",
        ),
        (BOX + "tenant-id = x\n", "tenant-id: unknown option; did you mean directory-id?"),
        (BY_TOKEN + "tenant-authority = google\n" + APP, "secret: it is missing"),
        (BY_TOKEN + "tenant-authority = google\nsecret = g\n" + SECRET, "client-id: it is missing"),
        (
            BY_TOKEN + "tenant-authority = google\nsecret = g\n" + APP + "grant-type = client_credentials\n" + SECRET,
            "grant-type: at Google client_credentials needs service-account-file",
        ),
        (
            BY_TOKEN + "tenant-authority = google\nsecret = g\ntoken-endpoint = http://a.example/\n" + APP + SECRET,
            "token-endpoint: expected a URL such as",
        ),
        (
            types(BY_TOKEN, "GRAPH") + "tenant-authority = google\ngrant-type = password\nsecret = g\n" + APP + SECRET,
            "tenant-authority: Google has no graph",
        ),
        (WAY + APP, "password: it is missing; expected the mailbox's password"),
        (
            WAY + APP + "tenant-authority = google\nsecret = g\n" + SECRET,
            "password: it is missing; expected the refresh",
        ),
    ],
)
def test_what_does_not_fit_together_is_named(conf: ConfFiles, content: str, fault: str) -> None:
    faults = conf.faults(content)
    assert len(faults) == 1, faults
    assert fault in faults[0]


@pytest.mark.parametrize(
    "options",
    [
        "grant-type = authorization_code\n",
        "grant-type = client_credentials\napplication-certificate = /dev/null\n" + TENANT,
        "tenant-authority = google\nservice-account-file = /dev/null\n",
    ],
)
def test_password_may_be_left_out_where_something_else_proves_who_it_is(conf: ConfFiles, options: str) -> None:
    assert conf.warnings(WITHOUT + APP + options) == []
    assert conf.warnings(WAY + APP + options) == []


@pytest.mark.parametrize(
    ("kind", "options", "grant"),
    [
        ("IMAP", "", "password"),
        ("GRAPH", "", "client_credentials"),
        ("GRAPH", "grant-type = password\n", "password"),
        ("IMAP", "grant-type = client_credentials\n", "client_credentials"),
    ],
)
def test_graph_asks_as_an_application_where_nothing_else_is_said(
    conf: ConfFiles, kind: str, options: str, grant: str
) -> None:
    settings = conf.load(types(BY_TOKEN, kind) + APP + TENANT + options)
    assert settings.mailboxes["pop-client"].grant_type == grant
    assert [row.value for row in in_effect(settings, "pop-client") if row.option == "grant-type"] == [grant]


def test_password_at_microsofts_is_warned_of(conf: ConfFiles) -> None:
    (warning,) = conf.warnings(BY_TOKEN + APP)
    assert "grant-type: it works only as long as no multi-factor sign-in" in warning
    assert conf.warnings(BY_TOKEN + APP + "tenant-authority = google\nsecret = g\n" + SECRET) == []


def test_client_secret_comes_with_the_section_so_that_a_new_one_starts_it_anew(conf: ConfFiles) -> None:
    content = BY_TOKEN + APP + "tenant-authority = google\nsecret = G\n" + SECRET
    before = conf.load(content).mailboxes["pop-client"]
    assert before.client_secret == Secret("gsecret")
    assert before == conf.load(content).mailboxes["pop-client"]
    assert before != conf.load(content.replace("gsecret", "another")).mailboxes["pop-client"]
    assert "gsecret" not in repr(before)


@pytest.mark.parametrize("url", ["https://a.example", "https://a.example:8443/b?c=d", "https://[::1]/"])
def test_url_with_tls(url: str) -> None:
    assert is_https(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a",
        "http://a.example",
        "https://",
        "https://u@a.example",
        "https://a b",
        "https://a:0",
        "https://a:99999",
        "https://[",
        "https://ä.example",
        "https://a\n.example",
        "file:///etc/passwd",
    ],
)
def test_url_without_tls_or_none(url: str) -> None:
    assert not is_https(url)


def test_files_are_checked_to_be_there(conf: ConfFiles, tmp_path: Path) -> None:
    for name in ("application-certificate", "application-key", "service-account-file"):
        faults = conf.faults(BY_TOKEN + APP + f"{name} = {tmp_path / 'gone'}\n")
        assert any(f"{name}: expected the absolute path of a file" in fault for fault in faults)

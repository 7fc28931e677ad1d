"""A document from what is set up, and back: the same settings."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from emaild.settings.mailbox import MailboxSection
from emaild.settings.way_out import WayOutSection
from tests.unit.provision.email2.documents import WHOLE, Answer, Provisioned, syncml, whole

NODES = {
    "NAME": 'Ann "A" O.',
    "DOMAIN": "corp",
    "DWNDAY": "14",
    "LINGER": "0",
    "KEEPMAX": "125",
    "RETRIEVE": "20480",
    "SERVERDELETEACTION": "2",
    "AUTHREQUIRED": "1",
    "ACCOUNTICON": "res://x & y",
    "SMTPALTENABLED": "TRUE",
    "SMTPALTAUTHNAME": "relay",
    "SMTPALTDOMAIN": "",
    "SMTPALTPASSWORD": "other",
    "TAGPROPS/8128000B": "1",
    "TAGPROPS/812C000B": "0",
}


def with_secrets(exported: Answer, form: str) -> bytes:
    """The document with the passwords that exports leave out."""
    assert exported.exit_code == 0, exported.err
    text = exported.out
    for name, value in (("AUTHSECRET", escape(WHOLE["AUTHSECRET"])), ("SMTPALTPASSWORD", "other")):
        if form == "cp":
            place = '<parm name="AUTHNAME"'
            text = text.replace(place, f'<parm name="{name}" value="{value}"/>{place}')
        else:
            place = text[text.index("<Add>") : text.index("</Add>")].partition("<LocURI>")[2].partition("</LocURI>")[0]
            item = f"<Item><Target><LocURI>{place}/{name}</LocURI></Target><Data>{value}</Data></Item>"
            text = text.replace("</Atomic>", f"<Add><CmdID>{name}</CmdID>{item}</Add></Atomic>")
    return text.encode()


def sections(provision: Provisioned) -> tuple[MailboxSection, WayOutSection]:
    """The one mailbox and the one way out, whatever they are called."""
    settings = provision.settings()
    (box,), (way,) = settings.mailboxes.values(), settings.ways_out.values()
    return replace(box, name=""), replace(way, name="")


@pytest.mark.parametrize("form", ["syncml", "cp"])
def test_a_provisioned_account_comes_back_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    here, there = (Provisioned(tmp_path / name, capsys) for name in ("here", "there"))
    here.good(syncml(whole(**NODES)))
    there.good(with_secrets(here.run("--export", here.mailbox().name, "--format", form), form))
    assert there.files() == here.files()


@pytest.mark.parametrize("form", ["syncml", "cp"])
@pytest.mark.parametrize("protocol", ["IMAP", "POP3"])
def test_a_mailbox_of_an_operator_comes_back_with_the_same_settings(
    provision: Provisioned, form: str, protocol: str
) -> None:
    idle = "idle = false\nmaximum-attachment-size = 25K\n" if protocol == "IMAP" else ""
    after = "after-fetch = move\nafter-fetch-folder = \\Trash" if protocol == "IMAP" else "after-fetch = delete"
    section = (
        f"[pop-client-sales]\ntype = {protocol}\nserver = 2001:db8::1\nport = 1993\nmailbox = corp\\ann\n"
        "pop-connection-security = encrypted\npassword = hunter2 & co\naddress = ann@contoso.example\n"
        f"cycle-time = 1h\nfirst-fetch = all\ndownload-days = 30\nretrieve-limit = 512\n{idle}{after}\n"
        "[smtp-client]\nserver = smtp.contoso.example\nsmtp-connection-security = encrypted\nport = 587\n"
        "enable-authentication = true\nuser = relay\npassword = other\nsenders = ann@contoso.example\n"
        'sender-override = "Ann" <ann@contoso.example>\n'
    )
    head = provision.conf.read_text()
    provision.conf.write_text(head + section)
    before = sections(provision)
    exported = provision.run("--export", "POP-client-sales", "--format", form)
    assert exported.err.splitlines() == [
        "AUTHSECRET and SMTPALTPASSWORD are left out: a document that is to set up a mailbox needs them"
    ]
    provision.conf.write_text(head)
    provision.good(with_secrets(exported, form))
    assert sections(provision) == before


def test_what_a_document_cannot_say_is_told(provision: Provisioned) -> None:
    section = (
        "[pop-client]\ntype = IMAP\nserver = imap.x\nmailbox = ann@x\npassword = pw\ncycle-time = 40s\n"
        "endpoint = sales\nmail.imap.ssl.checkserveridentity = true\n"
    )
    provision.conf.write_text(provision.conf.read_text() + section)
    exported = provision.run("--export", "pop-client")
    told = exported.err.splitlines()
    assert "[pop-client] cycle-time: the document says 15m instead" in told
    assert "[pop-client] endpoint: the document says nothing instead" in told
    assert "[pop-client] mail.imap.ssl.checkserveridentity: the document does not say it" in told
    assert any("OUTSERVER is missing" in line for line in told)
    assert not any("server:" in line for line in told)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("type = GRAPH\nmailbox = ann@x\n", "its type is GRAPH"),
        ("type = POP3\nserver = " + "x" * 63 + "\nmailbox = a\npassword = b\n", "expected at most 62 characters"),
        ("type = POP3\nserver = x\nmailbox = a\npassword = b\n", "REPLYADDR: expected name@domain"),
    ],
)
def test_what_emaild_has_and_email2_has_not_is_refused(provision: Provisioned, options: str, words: str) -> None:
    if "GRAPH" in options:
        options += "client-id = 11111111-1111-1111-1111-111111111111\ndirectory-id = contoso.example\npassword = x\n"
    provision.conf.write_text(provision.conf.read_text() + f"[pop-client]\n{options}")
    refused = provision.run("--export", "pop-client")
    assert (refused.exit_code, refused.out) == (os.EX_USAGE, "")
    assert words in refused.err


def test_no_such_section(provision: Provisioned) -> None:
    assert "no mailbox section pop-client-x; there are none" in provision.run("--export", "pop-client-x").err
    assert provision.run().exit_code == os.EX_USAGE
    assert provision.run("x", "--export", "y").exit_code == os.EX_USAGE
    assert provision.run("/no/such/file").exit_code == os.EX_NOINPUT

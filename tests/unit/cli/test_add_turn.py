"""`emaild add ADDRESS --oauth`: which sections get the mailbox's token, and under which names."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest

from emaild.cli.add_draft import Draft
from emaild.cli.add_turn import turning
from emaild.cli.asking import Asking
from emaild.settings.load import load

GOOGLE = "https://accounts.google.com"


def turned(tmp_path: Path, server: str, way: str, *, more: str = "", authority: str = "") -> Draft:
    """A mailbox on a server, with a way out on another that the same user signs in to."""
    (conf := tmp_path / "emaild.conf").write_text("")
    (folder := tmp_path / "conf.d").mkdir()
    kind = "EWS" if "://" in server else "IMAP"
    signs_in = "user = a@x.org\nenable-authentication = true\npassword = p\n"
    (folder / "a.conf").write_text(
        f"[pop-client-a]\ntype = {kind}\nserver = {server}\nmailbox = a@x.org\npassword = p\n"
        f"[smtp-client-a]\nserver = {way}\n{signs_in}{more}"
    )
    settings = load(conf)
    arguments = Namespace(
        conf=conf,
        address="a@x.org",
        authority=authority,
        client_id="c",
        client_secret_file=None,
        dry_run=True,
        oauth=True,
        tenant="",
    )
    return turning(settings, arguments, settings.mailboxes["pop-client-a"], None, Asking(anybody=False))


@pytest.mark.parametrize(
    ("server", "way"),
    [
        ("imap.example.co.uk", "SMTP.example.co.uk."),
        ("127.0.0.1", "127.0.0.1"),
        ("localhost", "localhost"),
        ("https://outlook.office365.com/EWS/Exchange.asmx", "smtp.office365.com"),
    ],
)
def test_the_way_out_at_the_same_provider_gets_the_token_too(tmp_path: Path, server: str, way: str) -> None:
    assert turned(tmp_path, server, way).sections == ("pop-client-a", "smtp-client-a")


@pytest.mark.parametrize(
    ("server", "way"),
    [
        ("imap.x.co.uk", "smtp.other.co.uk"),
        ("10.0.0.1", "192.168.0.1"),
        ("2001:db8::1", "2001:db8::2"),
        ("mail.customer.github.io", "mail.another.github.io"),
        ("https://outlook.office365.com/EWS/Exchange.asmx", "smtp.other.com"),
    ],
)
def test_no_other_company_gets_the_token(tmp_path: Path, server: str, way: str) -> None:
    assert turned(tmp_path, server, way).sections == ("pop-client-a",)


def test_a_secret_of_that_name_stays_as_it_is(tmp_path: Path) -> None:
    theirs = "[secret-A]\npassword = theirs\n"
    draft = turned(tmp_path, "imap.x.org", "smtp.other.org", more=theirs, authority=GOOGLE)
    settings = draft.settings()
    assert settings.mailboxes["pop-client-a"].secret == "a-2"
    assert set(settings.secrets) == {"secret-A", "secret-a-2"}
    assert set(draft.secrets) == {"pop-client-a-2.client-secret"}

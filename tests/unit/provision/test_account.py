"""The conf file that an address becomes."""

from __future__ import annotations

from pathlib import Path

import pytest

from emaild.errors import InputError
from emaild.provision.account import Account, Application, Place, conf_text, name_for
from emaild.settings.load import load
from tests.conf_files import ConfFiles

GOOGLE = "https://accounts.google.com"


def account(reading: Place, sending: Place | None = None, **more: object) -> Account:
    """Of ann@example.com."""
    return Account(address="ann@example.com", name="ann", reading=reading, sending=sending, **more)  # type: ignore[arg-type]


def options(made: Account) -> dict[str, dict[str, str]]:
    """By section."""
    found: dict[str, dict[str, str]] = {}
    for line in conf_text(made, lambda name: f"env:{name}").decode().splitlines():
        if line.startswith("["):
            found[line.strip("[]")] = section = {}
        elif line and not line.startswith("#"):
            name, _, value = line.partition(" = ")
            section[name] = value
    return found


@pytest.mark.parametrize(
    ("address", "taken", "name"),
    [
        ("Ann.Lee@Example.com", set(), "ann.lee"),
        ("ann@example.com", {"ann"}, "ann-example.com"),
        ("ann@example.com", {"ann", "ann-example.com"}, "ann-example.com-2"),
        ("a+b/c@example.com", set(), "a-b-c"),
        ("\u00fc@example.com", set(), "mailbox"),
        ('"a b"@example.com', set(), "a-b"),
        (f"{'a' * 240}@example.com", set(), "a" * 64),
        (f"{'a' * 240}@example.com", {"a" * 64}, "a" * 64 + "-2"),
    ],
)
def test_sections_are_called_as_the_address_where_that_is_free(address: str, taken: set[str], name: str) -> None:
    assert name_for(address, taken) == name


def test_what_is_usual_is_not_written() -> None:
    made = account(
        Place(type="POP3", server="pop.example.com", port=995, security="ssl-tls", user="ann@example.com"),
        Place(type="smtp", server="smtp.example.com", port=465, security="ssl-tls", user="", signs_in=False),
    )
    assert options(made) == {
        "pop-client-ann": {
            "type": "POP3",
            "server": "pop.example.com",
            "pop-connection-security": "ssl-tls",
            "mailbox": "ann@example.com",
            "password": "env:pop-client-ann.password",
        },
        "smtp-client-ann": {
            "server": "smtp.example.com",
            "smtp-connection-security": "ssl-tls",
            "senders": "ann@example.com",
        },
    }


@pytest.mark.parametrize(
    ("reading", "sending", "application"),
    [
        (
            Place(type="GRAPH", server="", by_token=True, user="a@x.de"),
            Place(type="graph", server="", user="a@x.de"),
            "",
        ),
        (Place(type="POP3", server="h", security="ssl-tls", by_token=True, user="a"), None, ""),
        (Place(type="IMAP", server="imap.gmail.com", security="ssl-tls", by_token=True, user="a"), None, GOOGLE),
        (Place(type="EWS", server="https://h/EWS/Exchange.asmx", by_token=True, user="a"), None, ""),
    ],
)
def test_what_a_person_signs_in_for_loads(
    conf: ConfFiles, reading: Place, sending: Place | None, application: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = Application(client_id="c", authority=application, directory="d", secret=bool(application))
    if sending is not None:
        sending = Place(**{**vars(sending), "by_token": True})
    made = account(reading, sending, application=given)
    monkeypatch.setenv(made.secret_file, "s")
    conf.write("")
    text = conf_text(made, lambda name: f"env:{name}")
    settings = load(conf.main, instead={Path(conf.folder / "conf.d/a.conf"): text})
    (box,) = settings.mailboxes.values()
    assert (box.uses_tokens, box.grant_type, box.is_google) == (True, "authorization_code", bool(application))
    assert settings.warnings == ()
    two_lines = "mail.pop3.auth.xoauth2.two.line.authentication.format = true" in text.decode()
    assert two_lines == (reading.type == "POP3"), "Microsoft wants it so"


def test_options_of_the_operators_choice_come_before_ours() -> None:
    place = Place(type="IMAP", server="h", user="a")
    assert options(account(place, box_options={"server": "other", "idle": "false"}))["pop-client-ann"] == {
        "type": "IMAP",
        "server": "other",
        "mailbox": "a",
        "address": "ann@example.com",
        "password": "env:pop-client-ann.password",
        "idle": "false",
    }


@pytest.mark.parametrize("authority", [GOOGLE, "https://Accounts.GOOGLE.com"])
def test_google_is_google_however_it_is_written(authority: str) -> None:
    given = Application(client_id="c", authority=authority)
    made = account(Place(type="POP3", server="pop.gmail.com", by_token=True, user="a"), application=given)
    assert "mail.pop3.auth.xoauth2.two.line.authentication.format" not in options(made)["pop-client-ann"]


def test_no_value_can_bring_another_line() -> None:
    with pytest.raises(InputError, match="cannot stand in one line"):
        options(account(Place(type="IMAP", server="h\n[emaild]", user="a")))

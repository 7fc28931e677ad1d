"""What only talks of mail that did not arrive is no bounce."""

from __future__ import annotations

import pytest

from emaild.mime.view import facts
from tests.unit.mime.bounce.formats import FORMATS, GONE, OURS, RETURNED


def written(sender: str, subject: str, text: str, more: str = "") -> bytes:
    return (
        f"Return-Path: <ann@home.example>\nFrom: {sender}\nTo: {OURS}\nSubject: {subject}\n{more}"
        f"MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{text}"
    ).encode()


QMAIL = next(one for one in FORMATS if one.name == "qmail").text.replace("@RETURNED@", RETURNED)

ORDINARY = {
    "a customer who forwards a bounce and asks": written(
        "Ann <ann@home.example>", "Fwd: failure notice", f"Why did I get this?\n\n---- Forwarded ----\n{QMAIL}"
    ),
    "a customer who forwards a bounce without a word": written("Ann <ann@home.example>", "WG: failure notice", QMAIL),
    "a customer who answers a bounce": written(
        "Ann <ann@home.example>", "Re: Mail delivery failed: returning message to sender", QMAIL
    ),
    "a program that tells its own customer of an account": written(
        "Bank <info@bank.example>", "Your account", "Your account is closed. It was ann@home.example until today.\n"
    ).replace(b"<ann@home.example>", b"<>", 1),
    "a customer who quotes a bounce": written(
        "Ann <ann@home.example>",
        "Delivery failed",
        "Hello,\n\nyour address does not work, I got this:\n\n"
        + "\n".join(f"> {line}" for line in QMAIL.splitlines()[:7])
        + "\n\nPlease help.\n",
    ),
    "a customer whose parcel could not be delivered": written(
        "Ann <ann@home.example>",
        "Undeliverable parcel 4711",
        f"My parcel could not be delivered to me; write to {GONE}, as the account is closed.\n",
    ),
    "a carrier's note": written(
        "Parcels <service@parcels.example>",
        "Delivery failed: we missed you today",
        "We were unable to deliver your parcel. Please choose another day.\nQuestions? help@parcels.example\n",
    ),
    "a customer who pastes an error": written(
        "Jane <jane@home.example>",
        "Mail delivery failed",
        f"Writing to you I get this:\n\n550 5.1.1 <{GONE}>: Recipient address rejected: User unknown\n\nPlease help.\n",
    ),
    "a carrier who names the recipient": written(
        "Parcels <noreply@parcels.example>",
        "Delivery failure",
        f"Your parcel could not be delivered to the following recipient:\n{GONE}\nChoose another day.\n",
    ),
    "a list where errors are talked of": written(
        "Eve <eve@home.example>",
        "Mail delivery failed",
        f"In my log stands:\nDelivery to the following recipient failed permanently: {GONE}\n550 5.1.1 User unknown\n",
        "List-Id: <users.lists.example>\n",
    ),
    "a help desk's receipt": written(
        "Help <help@desk.example>",
        "[Ticket#123] Mail delivery failed",
        f"Delivery to the following recipient failed permanently: {GONE}\n550 5.1.1 User unknown\n",
        "Auto-Submitted: auto-generated\n",
    ),
    "a newsletter from a postmaster": written(
        "Postmaster News <postmaster@news.example>",
        "The monthly news",
        "How to keep your list clean: remove an address that is not known.\n\nUnsubscribe: leave@news.example\n",
        "List-Unsubscribe: <mailto:leave@news.example>\n",
    ),
    "a person who asks what a code means": written(
        "Ann <ann@home.example>", "Error 550", f"What does 550 5.1.1 User unknown mean? I wrote to {GONE}.\n"
    ),
    "an absence notice with a null sender": written(
        "Bob <bob@far.example>",
        "Automatic reply: Your order",
        "I am out of the office; this mailbox is not read. In urgent cases: eve@far.example\n",
        "Auto-Submitted: auto-replied\n",
    ).replace(b"<ann@home.example>", b"<>"),
    "an absence notice from a daemon": written(
        "MAILER-DAEMON@far.example",
        "Out of Office: Your order",
        "I am no longer available under this address. Write to eve@far.example\n",
    ),
    "a challenge": written(
        "bob@far.example",
        "Your message awaits confirmation",
        "Your message has not been delivered yet. Please confirm that you sent it: click to verify your address\n"
        "https://far.example/c/4711 or write to confirm@far.example\n",
    ).replace(b"<ann@home.example>", b"<>"),
    "a list that holds a mail for its moderator": written(
        "news-owner@lists.example",
        "Your message to News awaits moderator approval",
        "Your mail to 'News' is being held until the list moderator can review it for approval.\n",
        "List-Id: <news.lists.example>\n",
    ).replace(b"<ann@home.example>", b"<>"),
    "a message that arrived": written(
        "Mail Delivery System <MAILER-DAEMON@far.example>",
        "Message received",
        f"Your message was delivered to {GONE}.\n",
    ),
    "nothing at all": b"",
}


@pytest.mark.parametrize("raw", [pytest.param(raw, id=name) for name, raw in ORDINARY.items()])
def test_it_is_no_bounce(raw: bytes) -> None:
    assert facts(raw).report is None

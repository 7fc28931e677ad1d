"""Which mails out a command line means."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from difflib import get_close_matches

from emaild.cli.times import since, until
from emaild.diagnosis.table import rows
from emaild.message import OutboundState
from emaild.store.outbox_entries import WAITING_STATES, Choice

MOST = 100  # characters that are compared
DONE_STATES = tuple(state for state in OutboundState if state not in WAITING_STATES)


def count(text: str) -> int:
    """For argparse: a number from 1."""
    if not (text.isascii() and text.isdigit()) or int(text[:18]) == 0:
        raise argparse.ArgumentTypeError(f"expected a number from 1, found {text!r}")
    return int(text[:18])


def one_of(names: Iterable[str]) -> dict[str, object]:
    """For argparse: one of these words, in any case; may be repeated."""
    known = list(names)
    by_lower = {name.lower(): name for name in known}

    def read(text: str) -> str:
        found = by_lower.get(text.lower().replace("-", "_"))
        if found is None:
            raise argparse.ArgumentTypeError(f"expected one of {', '.join(known)}, found {text!r}")
        return found

    return {"type": read, "action": "append", "default": [], "metavar": "STATE"}


def cause(text: str) -> str:
    """For argparse: the key of a diagnosis."""
    known = {row.diagnosis.cause for row in rows()}
    if text.lower() not in known:
        near = get_close_matches(text.lower()[:MOST], sorted(known), n=3)
        hint = f"is it {' or '.join(near)}?" if near else "'emaild outbox ID' tells that of a mail"
        raise argparse.ArgumentTypeError(f"there is no cause {text!r}; {hint}")
    return text.lower()


def add_span(parser: argparse.ArgumentParser, what: str) -> None:
    """`--since` and `--until`."""
    when = "as 10:30, yesterday, 2026-11-21, '2h ago'"
    parser.add_argument("--since", type=since, metavar="TIME", help=f"{what} then or later: {when}, in local time")
    parser.add_argument("--until", type=until, metavar="TIME", help=f"{what} before that; a day alone counts whole")


def add_choice(parser: argparse.ArgumentParser, states: Iterable[OutboundState]) -> None:
    """The filters for mails out."""
    names = [state.value for state in states]
    parser.add_argument("--state", **one_of(names), help=f"{', '.join(names)}; may be repeated")  # type: ignore[arg-type]
    parser.add_argument("--way-out", default="", metavar="SECTION", help="that are to go, or went, that way")
    parser.add_argument("--from", dest="sender", default="", metavar="ADDRESS", help="an address, or @domain")
    parser.add_argument("--to", dest="recipient", default="", metavar="ADDRESS", help="a recipient, or @domain")
    parser.add_argument("--cause", type=cause, metavar="KEY", help="what is diagnosed, as mailbox-full")
    parser.add_argument("--text", default="", metavar="WORDS", help="that the diagnosis holds")
    parser.add_argument("--message-id", default="", metavar="ID", help="with or without angle brackets")
    add_span(parser, "that came into the outbox")


def choice_of(arguments: argparse.Namespace, *, done: bool | None) -> Choice:
    """What the filters say; without a state those that are *done*."""
    states = tuple(dict.fromkeys(map(OutboundState, arguments.state)))
    return Choice(
        done=None if states else done,
        states=states,
        way_out=arguments.way_out,
        sender=arguments.sender,
        recipient=arguments.recipient,
        cause=arguments.cause or "",
        words=arguments.text,
        message_id=arguments.message_id,
        since=arguments.since,
        until=arguments.until,
    )

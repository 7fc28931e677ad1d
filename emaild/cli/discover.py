"""`emaild discover`: where the mailbox of an address is, and how that was found out."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Iterable, Iterator

from emaild.cli.main import DEFAULT_CONF
from emaild.cli.output import duration, json_line, plain, table
from emaild.cli.registry import Add
from emaild.cli.state import settings_of
from emaild.provision.discover.found import Came, Found, Outcome, Server, SignIn, Step
from emaild.provision.discover.search import discover
from emaild.settings.discovery import DiscoverySection

MAY_PASS = (Came.TIMED_OUT, Came.UNREACHABLE)
WORDS = {SignIn.PASSWORD: "password", SignIn.OAUTH: "OAuth", SignIn.NONE: "no sign-in"}


def register(add: Add) -> None:
    """The command of this module."""
    made = add("discover", _discover, "find out from an address where its mailbox is, and how it is signed in to")
    made.add_argument("address", metavar="ADDRESS", help="as anna@example.com")
    made.add_argument("--explain", action="store_true", help="show each step: what was asked, and what came")
    made.add_argument("--json", action="store_true", help="one object, steps included")


def _discover(arguments: argparse.Namespace) -> int:
    outcome = _outcome(arguments)
    if arguments.json:
        json_line(as_json(outcome))
        return _exit_code(outcome)
    if arguments.explain:
        table(("STEP", "CAME", "TIME", "ASKED", "TEXT"), map(_row, outcome.steps), "")
        print()
    if outcome.found is None:
        sys.stdout.flush()
        print(_nothing(arguments.address, outcome, explained=arguments.explain), file=sys.stderr)
    else:
        tell(outcome.found)
        print(f"\nTo set it up: emaild add {shlex.quote(plain(outcome.found.address))}")
    return _exit_code(outcome)


def _outcome(arguments: argparse.Namespace) -> Outcome:
    """Without a conf file, as before the first set-up, everything is as by default."""
    if arguments.conf == DEFAULT_CONF and not DEFAULT_CONF.exists():
        return discover(arguments.address, DiscoverySection())
    settings = settings_of(arguments.conf)
    return discover(arguments.address, settings.discovery, settings.proxy_for(settings.discovery))


def tell(found: Found) -> None:
    """Print what was found, for a person."""
    print(plain(f"{found.address} is at {found.name}, says step {found.number}: {found.origin}"))
    print()
    rows = [*_servers("read", found.incoming), *_servers("send", found.outgoing)]
    table(("", "SERVER", "SECURITY", "USER", "SIGN-IN"), rows, "")
    doubts = dict.fromkeys(server.doubt for server in (*found.incoming, *found.outgoing) if server.doubt)
    lines = [*_scopes((*found.incoming, *found.outgoing)), *(f"Look first: {text}." for text in doubts)]
    lines += [f"Note: {text}." for text in found.remarks]
    if not found.outgoing:
        lines.append("Note: nothing was found by which it could send.")
    print("\n".join(plain(line) for line in ("", *lines)) if lines else "", end="\n" if lines else "")


def as_json(outcome: Outcome) -> dict[str, object]:
    """Everything, times in seconds."""
    found = outcome.found
    return {
        "found": None if found is None else _found_json(found),
        "steps": [
            {"number": one.number, "asked": one.asked, "came": one.came, "text": one.text}
            | {"seconds": round(one.seconds, 4)}
            for one in outcome.steps
        ],
    }


def _found_json(found: Found) -> dict[str, object]:
    return {
        "address": found.address,
        "provider": found.name,
        "domains": found.domains,
        "step": found.number,
        "origin": found.origin,
        "incoming": [_server_json(server) for server in found.incoming],
        "outgoing": [_server_json(server) for server in found.outgoing],
        "remarks": found.remarks,
    }


def _server_json(server: Server) -> dict[str, object]:
    given = server.oauth
    return {
        "protocol": server.protocol,
        "host": server.host,
        "port": server.port,
        "url": server.url or None,
        "security": server.security,
        "user": server.user or None,
        "sign_in": server.sign_in,
        "best_sign_in": server.best_sign_in,
        "oauth": given
        and {
            "issuer": given.issuer,
            "authority": given.authority or None,
            "directory": given.directory or None,
            "scopes": given.scopes,
        },
        "doubt": server.doubt or None,
    }


def _servers(what: str, servers: Iterable[Server]) -> Iterator[tuple[object, ...]]:
    for server in servers:
        yield what, server, server.security, server.user or "(only its owner knows)", _sign_in(server)


def _sign_in(server: Server) -> str:
    """The ways that emaild can go, the best first; and those that it cannot, where there is no other."""
    ways = [WORDS[way] for way in server.sign_in if way is not SignIn.OAUTH or server.gives_tokens]
    if ways:
        return " or ".join(ways)
    return f"OAuth of {server.oauth.issuer}, which emaild has not" if server.oauth else "OAuth, which emaild has not"


def _scopes(servers: Iterable[Server]) -> Iterator[str]:
    """What a token is asked for, in a line for all protocols for which that is the same."""
    protocols: dict[str, dict[str, None]] = {}
    for server in servers:
        if server.oauth is not None and server.gives_tokens:
            protocols.setdefault(" ".join(server.oauth.scopes), {})[server.protocol.upper()] = None
    for scopes, names in protocols.items():
        yield f"Scopes for {', '.join(names)}: {scopes}"


def _row(step: Step) -> tuple[object, ...]:
    return step.number, step.came, duration(step.seconds), step.asked, step.text


def _nothing(address: str, outcome: Outcome, *, explained: bool) -> str:
    passing = " now, and some did not answer" if _may_pass(outcome) else ""
    more = "" if explained else "; --explain shows what was asked"
    by_hand = "ask its provider for server, port, security and user name, and give them to emaild add"
    return plain(f"emaild: nobody says where the mailbox of {address} is{passing}{more}. To do: {by_hand}")


def _may_pass(outcome: Outcome) -> bool:
    return any(step.came in MAY_PASS for step in outcome.steps)


def _exit_code(outcome: Outcome) -> int:
    """0 where something was found; 75 where something that failed may pass by itself, else 69."""
    if outcome.found is not None:
        return os.EX_OK
    return os.EX_TEMPFAIL if _may_pass(outcome) else os.EX_UNAVAILABLE

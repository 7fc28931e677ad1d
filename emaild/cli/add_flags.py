"""What `emaild add` can be told on its command line instead of being asked for it."""

from __future__ import annotations

import argparse
from pathlib import Path

from emaild.cli.add_choice import SECURITIES, TYPES
from emaild.cli.add_options import box_option, way_option
from emaild.settings import parse
from emaild.settings.cloud import GOOGLE


def add_flags(made: argparse.ArgumentParser) -> None:
    """Servers, who signs in and how, and what is done with it."""
    _add_servers(made)
    made.add_argument("--user", metavar="NAME", help="the name to sign in with, where that is not the address")
    made.add_argument("--password-file", type=Path, metavar="FILE", help="a file that holds the password")
    made.add_argument("--password-stdin", action="store_true", help="the password comes on standard input")
    made.add_argument(
        "--oauth", action="store_true", help="a person signs in; turns a mailbox that is there from its password to it"
    )
    made.add_argument("--client-id", default="", metavar="ID", help="of your application at Microsoft or Google")
    made.add_argument("--client-secret-file", type=Path, metavar="FILE", help="a file that holds its secret")
    made.add_argument("--tenant", default="", metavar="ID", help="Microsoft: the directory; else as found, or any")
    made.add_argument("--authority", default="", metavar="URL", help=f"who gives tokens; Google: {GOOGLE}")
    made.add_argument("--section", metavar="NAME", help="what its sections are called: [pop-client-NAME]")
    made.add_argument("--no-check", action="store_true", help="do not try the servers")
    made.add_argument("--anyway", action="store_true", help="write it, even where it does not work")
    made.add_argument("--yes", action="store_true", help="ask for no consent")
    made.add_argument("--dry-run", action="store_true", help="print the conf file, and do nothing else")
    made.add_argument("--json", action="store_true", help="one object that says what was done")


def _add_servers(made: argparse.ArgumentParser) -> None:
    made.add_argument("--type", choices=TYPES, type=str.upper, help="how it is read (default: what is found first)")
    made.add_argument(
        "--server", type=_server, default="", metavar="HOST", help="that it is read from; EWS: the URL. No discovery"
    )
    made.add_argument("--port", type=_port, metavar="NUMBER", help="of that server")
    made.add_argument("--security", choices=SECURITIES, help="of the connection (default: as found, or ssl-tls)")
    made.add_argument("--smtp-server", type=_server, default="", metavar="HOST", help="that its mail goes out by")
    made.add_argument("--smtp-port", type=_port, metavar="NUMBER", help="of that server")
    made.add_argument("--smtp-security", choices=SECURITIES, help="of the connection (default: as found, or start-tls)")
    made.add_argument("--smtp-user", default="", metavar="NAME", help="where it is another than --user")
    made.add_argument("--smtp-no-sign-in", action="store_true", help="that server is not signed in to")
    made.add_argument("--no-smtp", action="store_true", help="no way out")
    made.add_argument("--ca-file", type=_ca_file, metavar="FILE", help="the CA certificates to trust, not the system's")
    more = {"action": "append", "default": [], "metavar": "NAME=VALUE"}
    made.add_argument("--option", type=box_option, **more, help="another option of the mailbox; may be repeated")  # type: ignore[arg-type]
    made.add_argument("--smtp-option", type=way_option, **more, help="another option of the way out")  # type: ignore[arg-type]


def _server(text: str) -> str:
    try:
        return parse.server.read(text) if text else ""
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected {parse.server.expects}, found {parse.repeated(text)}") from None


def _ca_file(text: str) -> Path:
    try:
        return parse.file.read(str(Path(text).absolute()))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text[:200]}: {error}") from None


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 0 < int(text) < 65536):
        raise argparse.ArgumentTypeError(f"expected a port from 1 to 65535, found {text[:20]!r}")
    return int(text)

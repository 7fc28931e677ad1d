"""From an address, what was found of it, the command line and a person's answers to the account to be set up."""

from __future__ import annotations

import argparse
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from emaild.cli.asking import Asking, secret_of_file
from emaild.cli.output import plain
from emaild.errors import Conflict, UsageError
from emaild.provision.account import BOX, LONGEST_NAME, WAY, Account, Application, Place, name_for
from emaild.provision.discover.found import Found, OAuth, Protocol, Server, SignIn
from emaild.provision.discover.known import is_at_google
from emaild.settings import parse
from emaild.settings.cloud import GOOGLE, is_googles
from emaild.settings.mailbox import MailboxType
from emaild.settings.server import Security

TYPES = tuple(kind.value for kind in MailboxType)
SECURITIES = tuple(kind.value for kind in Security)
WEB = ("EWS", "GRAPH")
SUBMISSION, RELAY = 587, 25


@dataclass(frozen=True)
class Chosen:
    """A server, with whoever gives tokens for it, and why a person should look at it first."""

    place: Place
    oauth: OAuth | None = None
    doubt: str = ""


def chosen(arguments: argparse.Namespace, found: Found | None, asking: Asking, taken: Collection[str]) -> Account:
    """The account; *taken* are the names, in lower case, that sections have already.

    Raises:
        UsageError: something is missing, and nobody is there to be asked. Conflict: `--section` is taken.
    """
    reading = _reading(arguments, found, asking)
    sending = _sending(arguments, found, reading.place, asking)
    both = [one for one in (reading, sending) if one is not None]
    for doubt in dict.fromkeys(one.doubt for one in both if one.doubt and not one.place.by_token):
        _look_first(doubt, arguments, asking)
    by_token = next((one for one in both if one.place.by_token), None)
    return Account(
        address=arguments.address,
        name=_name(arguments, taken),
        reading=reading.place,
        sending=sending.place if sending else None,
        application=application_of(arguments, by_token, asking) if by_token else None,
        ca_file=arguments.ca_file and arguments.ca_file.absolute(),
        origin=plain(f"found by step {found.number}, {found.origin}") if found else "",
        box_options=dict(arguments.option),
        way_options=dict(arguments.smtp_option),
    )


def is_complete(arguments: argparse.Namespace) -> bool:
    """Whether the command line says all that discovery could find."""
    reading = arguments.server or arguments.type == "GRAPH"
    return bool(reading and (arguments.smtp_server or arguments.no_smtp or arguments.type in WEB))


def _tokens_wanted(arguments: argparse.Namespace) -> bool | None:
    """None: whatever the server likes best."""
    if arguments.oauth or arguments.client_id:
        return True
    return False if arguments.password_file or arguments.password_stdin else None


def _reading(arguments: argparse.Namespace, found: Found | None, asking: Asking) -> Chosen:
    there = [one for one in (found.incoming if found else ()) if _is_type(one, arguments.type)]
    if arguments.server or not there:
        return _reading_by_hand(arguments, asking)
    server, by_token = _best(there, _tokens_wanted(arguments))
    place = Place(
        type=server.protocol.upper(),
        server=_host(server),
        port=arguments.port or server.port,
        security="" if server.protocol.upper() in WEB else arguments.security or server.security,
        user=arguments.user or server.user or asking.text("Name to sign in with", "--user", arguments.address),
        by_token=by_token,
    )
    return Chosen(place, server.oauth, server.doubt)


def _is_type(server: Server, wanted: str | None) -> bool:
    """EWS needs an extra, and ends at Microsoft's: it is for who asks for it."""
    return server.protocol.upper() == wanted if wanted else server.protocol is not Protocol.EWS


def _best(there: Sequence[Server], tokens: bool | None) -> tuple[Server, bool]:
    """The first that can be signed in to as it is wanted; and whether a token does it."""
    for server in there:
        if tokens is not False and server.gives_tokens and (tokens or server.best_sign_in is SignIn.OAUTH):
            return server, True
        if not tokens and SignIn.PASSWORD in server.sign_in:
            return server, False
    wanted = {True: "with a token that emaild can ask for", False: "with a password"}.get(tokens or False)
    raise UsageError(
        f"{there[0].host or there[0]} is not signed in to {wanted}; "
        + ("leave out --oauth and --client-id" if tokens else "--oauth with --client-id may do, or --server another")
    )


def _host(server: Server) -> str:
    return "" if server.protocol is Protocol.GRAPH else server.url or server.host


def _reading_by_hand(arguments: argparse.Namespace, asking: Asking) -> Chosen:
    kind = arguments.type or asking.text("How is it read", "--type", "IMAP", TYPES)
    server = arguments.server or ("" if kind == "GRAPH" else asking.text("Server that it is read from", "--server"))
    security = arguments.security or ("" if kind in WEB else Security.SSL_TLS.value)
    place = Place(
        type=kind,
        server=server,
        port=arguments.port,
        security=security,
        user=arguments.user or arguments.address,
        by_token=kind == "GRAPH" or bool(_tokens_wanted(arguments)),
    )
    return Chosen(place)


def _sending(arguments: argparse.Namespace, found: Found | None, reading: Place, asking: Asking) -> Chosen | None:
    if arguments.no_smtp:
        return None
    if arguments.smtp_server:
        return Chosen(_sending_by_hand(arguments, reading, arguments.smtp_server))
    if reading.type in WEB:
        return Chosen(Place(**{**vars(reading), "type": reading.type.lower(), "security": "", "port": None}))
    smtp = [one for one in (found.outgoing if found else ()) if one.protocol is Protocol.SMTP]
    if smtp:
        return _sending_found(arguments, smtp, reading, asking)
    if not asking.anybody:
        raise UsageError("--smtp-server is needed, or --no-smtp, for nobody is here to be asked")
    server = asking.maybe("Server that its mail goes out by; nothing: none")
    return Chosen(_sending_by_hand(arguments, reading, server)) if server else None


def _sending_found(arguments: argparse.Namespace, smtp: Sequence[Server], reading: Place, asking: Asking) -> Chosen:
    """Signed in to as the mailbox is, where that can be."""
    can = [one for one in smtp if one.gives_tokens] if reading.by_token else []
    can = can or [one for one in smtp if SignIn.PASSWORD in one.sign_in] or [*smtp]
    server = can[0]
    by_token = reading.by_token and server.gives_tokens
    signs_in = not arguments.smtp_no_sign_in and (by_token or server.sign_in != (SignIn.NONE,))
    if signs_in and not by_token and SignIn.PASSWORD not in server.sign_in:
        raise UsageError(f"{server} is signed in to with a token alone; give --oauth, or --no-smtp")
    place = Place(
        type="smtp",
        server=server.host,
        port=arguments.smtp_port or server.port,
        security=arguments.smtp_security or server.security,
        user=(arguments.smtp_user or arguments.user or server.user or reading.user) if signs_in else "",
        by_token=by_token,
        signs_in=signs_in,
    )
    return Chosen(place, server.oauth, server.doubt if signs_in else "")


def _sending_by_hand(arguments: argparse.Namespace, reading: Place, server: str) -> Place:
    security = arguments.smtp_security or Security.START_TLS.value
    usual = {Security.START_TLS: SUBMISSION, Security.NONE: RELAY}.get(Security(security))
    return Place(
        type="smtp",
        server=server,
        port=arguments.smtp_port or usual,
        security=security,
        user=arguments.smtp_user or reading.user,
        by_token=reading.by_token and not arguments.smtp_no_sign_in,
        signs_in=not arguments.smtp_no_sign_in,
    )


def application_of(arguments: argparse.Namespace, by_token: Chosen, asking: Asking) -> Application:
    """Which application is allowed to open the mailbox: emaild has none of its own at anybody's."""
    given = by_token.oauth
    usual = GOOGLE if is_at_google(by_token.place.server.lower()) else ""
    authority = arguments.authority or (given.authority if given else "") or usual
    whose = authority.partition("://")[2] or "Microsoft's"
    return Application(
        client_id=arguments.client_id or asking.text(f"Client ID of your application at {whose}", "--client-id"),
        authority=authority,
        directory=arguments.tenant or (given.directory if given else ""),
        secret=bool(arguments.client_secret_file) or is_googles(authority),
    )


def _look_first(doubt: str, arguments: argparse.Namespace, asking: Asking) -> None:
    if arguments.yes or asking.yes(f"{doubt}. Shall the password go there?"):
        return
    raise UsageError(plain(f"{doubt}; --yes lets the password go there all the same. Nothing was changed"))


def _name(arguments: argparse.Namespace, taken: Collection[str]) -> str:
    if arguments.section is None:
        return name_for(arguments.address, taken)
    name: str = re.sub(f"^({BOX}|{WAY})-", "", arguments.section, flags=re.IGNORECASE)
    if len(name) > LONGEST_NAME or re.fullmatch(r"\w[\w.-]*", name, re.ASCII) is None:
        expected = f"expected letters, digits, '.', '-' and '_', at most {LONGEST_NAME}"
        raise UsageError(f"--section: {expected}, found {parse.repeated(name)}")
    if name.lower() in taken:
        raise Conflict(f"there is a section that ends in -{name} already; choose another name for --section")
    return name


def client_secret(arguments: argparse.Namespace, asking: Asking) -> str:
    """The application's secret, from its file or a person."""
    if arguments.client_secret_file:
        return secret_of_file(arguments.client_secret_file, "--client-secret-file")
    return asking.secret("Client secret of that application", "--client-secret-file")

"""A person signs in, in a browser or by a code, for a section; what the authority gives for it is kept."""

from __future__ import annotations

import argparse
import os
import socket
import time
import webbrowser
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from emaild.cli.output import plain
from emaild.cli.redirect import Redirect
from emaild.cli.times import patience
from emaild.errors import Busy, EmaildError, RemoteError, SignInFailed, StateUnusable, Unreachable
from emaild.net.oauth import Sealed
from emaild.net.oauth.grant import Grant, ServerSection, grant_of, user_of
from emaild.net.oauth.person import Device, SignedIn, begin, begin_by_device, keep
from emaild.settings.by_token import is_https
from emaild.settings.load import Settings
from emaild.settings.mailbox import MailboxSection
from emaild.settings.network import ProxySection

SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
"""Variables one of which is set where a browser can be opened; elsewhere one in the terminal would be in the way."""


def add_ways(made: argparse.ArgumentParser) -> None:
    """How a person signs in: the options of this and other commands."""
    made.add_argument("--device", action="store_true", help="print a code to sign in with on another machine")
    made.add_argument("--shared", action="store_true", help="whoever signs in need not be the mailbox's own user")
    made.add_argument("--no-browser", action="store_true", help="print where to sign in, and open no browser")
    made.add_argument(
        "--within",
        type=patience("1s", "1h"),
        default="10m",
        metavar="TIME",
        help="how long to wait for it (default: 10m)",
    )


@dataclass(frozen=True)
class Task:
    """Who is to sign in, and what for. `consent`: the scopes of all sections that will use it.

    `kept` is the state directory that takes it. `hint` follows what is told to somebody else who signed in.
    """

    section: ServerSection
    consent: tuple[str, ...]
    proxy: ProxySection | None
    kept: Path
    shared: bool
    hint: str = ""

    def done(self, signed: SignedIn) -> str:
        """Keep it, if whoever signed in is who should have; what to say of it.

        Raises:
            SignInFailed: it is somebody else. StateUnusable: it cannot be kept.
        """
        who = plain(" or ".join(signed.addresses)) or "somebody whom the authority does not name"
        name, user = self.section.name, user_of(self.section)
        if not self.shared and not _own(self.section) & {address.lower() for address in signed.addresses}:
            raise SignInFailed(
                f"{who} signed in, but [{name}] is for {user}, so nothing was kept; sign in as that user, or give"
                f" --shared where the mailbox may be opened by others and {who} is one of them{self.hint}"
            )
        try:
            keep(self.section, Sealed(self.kept), signed)
        except OSError as error:
            raise StateUnusable(f"{self.kept}: {error.strerror}; nothing was kept") from error
        return f"{who} signed in for {user}; [{name}] uses it from its next token on"


def opens_browser(arguments: argparse.Namespace) -> bool:
    """Whether a browser may be opened here: never by root, nor by whom root goes on as."""
    return not arguments.no_browser and os.geteuid() != 0 and any(os.environ.get(name) for name in SCREENS)


def signed_in(task: Task, arguments: argparse.Namespace, *, opens: bool) -> str:
    """Let a person sign in, and keep it; what to say of it. *arguments* are those of `add_ways`.

    Raises:
        SignInFailed: nobody signed in, or somebody else. StateUnusable: it cannot be kept.
    """
    try:
        return _by_device(task, arguments.within) if arguments.device else _by_browser(task, arguments.within, opens)
    except RemoteError as error:
        advice = "; are tenant-authority and [proxy] right?" if isinstance(error, Unreachable) else ""
        raise SignInFailed(plain(f"{error}{advice}").replace("SECTION", task.section.name)) from error


def consent_of(settings: Settings, grant: Grant) -> tuple[str, ...]:
    """The scopes of all sections that one sign-in is for."""
    others = [other for one in settings.servers() if (other := grant_of(one)) is not None]
    return tuple(word for one in others if one.sealed_name == grant.sealed_name for word in one.scope.split())


def _own(section: ServerSection) -> set[str]:
    """The addresses by which the mailbox's own user is known."""
    address = section.address if isinstance(section, MailboxSection) else ""
    return {name.lower() for name in (user_of(section), address) if name}


def _by_browser(task: Task, seconds: float, opens: bool) -> str:
    with Redirect() as redirect:
        # Microsoft takes any port of localhost, Google any of 127.0.0.1; both mean this machine.
        place = f"http://{'127.0.0.1' if task.section.is_google else 'localhost'}:{redirect.port}"
        begun = begin(task.section, proxy=task.proxy, redirect=place, consent=task.consent)
        if not is_https(begun.url):
            raise SignInFailed("the authority's page to sign in on is no https URL; is tenant-authority right?")
        print(f"Sign in here, in a browser of this machine, within {seconds:.0f} seconds:\n\n{begun.url}\n", flush=True)
        if not (opens and webbrowser.open(begun.url)):
            way = f"ssh -L {redirect.port}:127.0.0.1:{redirect.port} {socket.gethostname()}"
            print(f"If the browser is on another machine, run this there first:\n\n{way}\n", flush=True)
        brought = redirect.wait(seconds, dict(parse_qsl(urlsplit(begun.url).query)).get("state", ""))
        try:
            said = task.done(begun.finish(brought))
        except EmaildError as error:
            redirect.say(f"It did not work: {error}".replace("SECTION", task.section.name))
            raise
        redirect.say(f"{said}. You may close this window.")
        return said


def _by_device(task: Task, seconds: float) -> str:
    device = begin_by_device(task.section, proxy=task.proxy)
    print(plain(f"Open {device.url} in any browser, and type this code: {device.user_code}"), flush=True)
    until = time.monotonic() + min(seconds, device.life)
    while (signed := _polled(device)) is None:
        if time.monotonic() + device.interval > until:
            raise SignInFailed("nobody signed in with the code in time, and it has expired; try again")
        time.sleep(device.interval)
    return task.done(signed)


def _polled(device: Device) -> SignedIn | None:
    """Who signed in; None: nobody yet, or the authority cannot be asked now."""
    try:
        return device.poll()
    except (Busy, Unreachable):
        return None

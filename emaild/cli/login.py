"""`emaild login`: a person signs in, and what the authority gives for it is kept for the daemon."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from urllib.parse import parse_qsl, urlsplit

from emaild.cli.redirect import Redirect
from emaild.cli.registry import Add
from emaild.cli.state import become_owner, settings_of
from emaild.cli.times import patience
from emaild.clock import SystemClock
from emaild.errors import Busy, EmaildError, RemoteError, SignInFailed, StateUnusable, Unreachable, UsageError
from emaild.jobs.trial import remedy, trial
from emaild.log.setup import set_up
from emaild.net.oauth import Sealed
from emaild.net.oauth.grant import Grant, ServerSection, Way, grant_of, user_of
from emaild.net.oauth.person import Device, SignedIn, begin, begin_by_device, keep
from emaild.settings.by_token import GrantType, is_https
from emaild.settings.load import Settings
from emaild.settings.log import Verbosity
from emaild.settings.mailbox import MailboxSection
from emaild.settings.network import ProxySection
from emaild.store.engine import make_directory, refused

LONGEST_TRIAL = 120.0  # seconds, whatever the server does
SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
"""Variables one of which is set where a browser can be opened; elsewhere one in the terminal would be in the way."""


def register(add: Add) -> None:
    """The command of this module."""
    made = add("login", _login, "sign in for a section in a browser, so that the daemon gets tokens for it")
    made.add_argument("section", metavar="SECTION", help="a [pop-client...] or [smtp-client...] section")
    made.add_argument("--no-try", action="store_true", help="do not try the server with the new token")
    add_ways(made)


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
        who = _plain(" or ".join(signed.addresses)) or "somebody whom the authority does not name"
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


def _login(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments.conf)
    task = _task(settings, arguments)
    if not task.section.enable_debug and settings.log.verbose is not Verbosity.NONE:
        set_up(replace(settings.log, verbose=Verbosity.STANDARD), sys.stderr)  # what goes well is told in one line
    opens = opens_browser(arguments)
    _ready(task.kept)
    print(signed_in(task, arguments, opens=opens), flush=True)
    return os.EX_OK if arguments.no_try else _tried(task)


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
        raise SignInFailed(_plain(f"{error}{advice}").replace("SECTION", task.section.name)) from error


def _ready(directory: Path) -> None:
    """Be the owner of the state directory, which is made as `emaild run` makes it.

    Raises:
        StateUnusable: it cannot be made, or we may not write there; better told before somebody signs in.
    """
    become_owner(directory)
    is_new = not directory.exists()
    make_directory(directory)
    if is_new and os.geteuid() == 0:
        print(
            f"emaild: {directory} is made, and root's; systemd gives it to emaild, others do it by chown",
            file=sys.stderr,
        )
    if not os.access(directory, os.W_OK | os.X_OK):
        raise StateUnusable(refused(directory, PermissionError(0, "it cannot be written")))


def _tried(task: Task) -> int:
    """Try the server with what was kept, and say what came of it; the exit code."""
    name = task.section.name
    try:
        with bounded(LONGEST_TRIAL):
            steps = list(trial(task.section, proxy=task.proxy, sealed=Sealed(task.kept), clock=SystemClock()))
    except (RemoteError, TimeoutError) as error:
        wrong = error if isinstance(error, RemoteError) else Unreachable(name, "try", "it takes too long")
        why = _plain("; ".join(filter(None, (str(wrong), remedy(wrong))))).replace("SECTION", name)
        print(f"emaild: the sign-in is kept, but [{name}] does not work yet: {why}", file=sys.stderr)
        return os.EX_TEMPFAIL if wrong.temporary else os.EX_UNAVAILABLE
    print(_plain(f"[{name}] works: {', '.join(steps)}"))
    return os.EX_OK


@contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """TimeoutError for what takes longer; a server that says a byte now and then would have no end."""

    def end(number: int, frame: FrameType | None) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)  # once more where the first was taken for something else
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _task(settings: Settings, arguments: argparse.Namespace) -> Task:
    there = {section.name.lower(): section for section in settings.servers()}
    section = there.get(arguments.section.lower())
    if section is None:
        known = ", ".join(one.name for one in there.values() if _signed_in_for(one)) or "none"
        wrong = f"no section {arguments.section} with a server in {arguments.conf}"
        raise UsageError(f"{wrong}; those that somebody signs in for: {known}")
    grant = grant_of(section)
    if grant is None or not _signed_in_for(section):
        raise UsageError(f"[{section.name}] is not set up for this: it needs {' and '.join(_missing(section))}")
    kept = settings.emaild.state_directory
    return Task(section, consent_of(settings, grant), settings.proxy_for(section), kept, arguments.shared)


def consent_of(settings: Settings, grant: Grant) -> tuple[str, ...]:
    """The scopes of all sections that one sign-in is for."""
    others = [other for one in settings.servers() if (other := grant_of(one)) is not None]
    return tuple(word for one in others if one.sealed_name == grant.sealed_name for word in one.scope.split())


def _signed_in_for(section: ServerSection) -> bool:
    grant = grant_of(section)
    return grant is not None and grant.way is Way.SIGNED_IN


def _missing(section: ServerSection) -> list[str]:
    """What the section lacks so that somebody can sign in for it."""
    lacks = [] if section.grant_type is GrantType.AUTHORIZATION_CODE else ["grant-type = authorization_code"]
    lacks += [] if section.client_id else ["client-id"]
    if not section.uses_tokens:
        lacks.append(f"mail.{section.protocol_name}.auth.mechanisms = XOAUTH2")
    if section.service_account_file is not None:
        lacks.append("no service-account-file")
    return lacks


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
    print(_plain(f"Open {device.url} in any browser, and type this code: {device.user_code}"), flush=True)
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


def _plain(text: str) -> str:
    """Without the control characters that could play with a terminal."""
    return "".join(filter(str.isprintable, text))

"""People who sign in by `emaild login`, and what is signed in for."""

from __future__ import annotations

import http.client
import re
import signal
import subprocess
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.daemon.harness import COMMAND, Emaild, imap_section
from tests.servers.authority import Authority
from tests.servers.authorization import AuthorizationServer
from tests.servers.authorization_rules import Client, Person

MARY, JOE, SUPPORT = "mary@example.com", "joe@example.com", "support@example.com"
PERSONS_PASSWORD = "pw"
BOX = "pop-client-mary"


class Login:
    """`emaild login` under way: `with Login(daemon, "pop-client-mary") as login`; with *tries* it tries the server."""

    def __init__(self, daemon: Emaild, *arguments: str, tries: bool = False) -> None:
        command = [*COMMAND, "login", "--conf", str(daemon.conf), "--no-browser", *arguments]
        command += [] if tries else ["--no-try"]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def first(self, pattern: str) -> re.Match[str]:
        """The first line of its output in which that is found."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if found := re.search(pattern, line):
                return found
        raise AssertionError(self._process.stderr.read() if self._process.stderr else "")

    @property
    def url(self) -> str:
        """The page to sign in on."""
        return self.first(r"^https://\S+$")[0]

    def interrupt(self) -> None:
        """Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    def end(self) -> tuple[int, str, str]:
        """Its exit code, and what else it said: on standard output, and on standard error."""
        said, wrong = self._process.communicate(timeout=60)
        return self._process.returncode, said, wrong


def knowing(authorization: AuthorizationServer) -> AuthorizationServer:
    """It knows some people, and the applications at Microsoft and at Google."""
    realm = authorization.realm
    realm.people = {name: Person(name, PERSONS_PASSWORD) for name in (MARY, JOE, SUPPORT)}
    realm.clients = {"emaild": Client("emaild"), "web": Client("web", secret="google-secret")}
    return authorization


def tokens(people: AuthorizationServer, **options: Any) -> dict[str, Any]:
    """The options of a section for which somebody signs in, by its *protocol*, else IMAP."""
    protocol = options.pop("protocol", "imap")
    asked = {
        "password": "",
        "grant-type": "authorization_code",
        "tenant-authority": people.url,
        "directory-id": "contoso",
        "client-id": "emaild",
        f"mail.{protocol}.auth.mechanisms": "XOAUTH2",
    }
    return {**asked, **options}


def google(people: AuthorizationServer) -> dict[str, Any]:
    """The same at Google."""
    return tokens(
        people,
        **{
            "tenant-authority": "google",
            "token-endpoint": people.token_endpoint,
            "authorization-endpoint": people.authorization_endpoint,
            "client-id": "web",
            "secret": "google",
        },
    )


def configured(
    daemon: Emaild, authority: Authority, people: AuthorizationServer, user: str = MARY, **more: object
) -> None:
    """The daemon's conf file with one mailbox; nobody listens at its port."""
    section = imap_section(BOX, 9, user, authority, **(tokens(people) | more))
    daemon.configure(section, "[secret-google]\npassword = google-secret\n")


def follows(authority: Authority, url: str, user: str, *, deny: bool = False, state: str = "") -> int:
    """What a browser does in which *user* signs in; the status of the last page."""
    page = urlsplit(url)
    form = (
        dict(parse_qsl(page.query)) | {"username": user, "password": PERSONS_PASSWORD} | ({"deny": "1"} if deny else {})
    )
    asking = http.client.HTTPSConnection(page.hostname or "", page.port, context=authority.client_context(), timeout=30)
    asking.request("POST", page.path, urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"})
    back = urlsplit(asking.getresponse().headers["Location"])
    asking.close()
    brought = dict(parse_qsl(back.query)) | ({"state": state} if state else {})
    coming = http.client.HTTPConnection("127.0.0.1", back.port, timeout=30)
    coming.request("GET", f"/?{urlencode(brought)}")
    answer = coming.getresponse()
    answer.read()
    coming.close()
    return answer.status


def kept(daemon: Emaild) -> list[Path]:
    """The sign-ins that are on disk."""
    folder = daemon.home / "state" / "tokens"
    return [path for path in folder.iterdir() if not path.name.startswith(".")] if folder.exists() else []

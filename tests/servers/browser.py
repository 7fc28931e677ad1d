"""Chromium without a window, driven as a person would by W3C WebDriver."""

import http.client
import json
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from tests.servers.ports import LOOPBACK, ReservedPort, listening
from tests.servers.presence import require
from tests.servers.processes import Home, Program, unprivileged
from tests.servers.wait import eventually

_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # WebDriver §12.1
_PATIENCE = 60.0
_ARGUMENTS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server")


class Browser:
    """A browser of its own, without a history: `with Browser() as browser`. Any certificate is good enough for it."""

    def __init__(self) -> None:
        """Find the programs."""
        self._driver_file = require("chromedriver")
        self._browser_file = require("chromium")
        self._session = ""
        self._stack = ExitStack()
        self._port = 0

    def __enter__(self) -> Self:
        """Start it."""
        account = unprivileged()
        home = Home("browser", account)
        self._stack.callback(home.remove)
        port = ReservedPort()
        self._stack.callback(port.release)
        self._port = port.number
        output = home.path / "output"
        program = Program((self._driver_file, f"--port={port.number}"), account=account, output=output)
        self._stack.callback(program.end)
        eventually(lambda: program.ended() or listening(port.number), within=30, what="the start of chromedriver")
        arguments = [*_ARGUMENTS, f"--user-data-dir={home.folder('profile')}"]
        options = {"args": arguments, "binary": self._browser_file}
        wanted = {"acceptInsecureCerts": True, "goog:chromeOptions": options}
        made = self._ask("POST", "", {"capabilities": {"alwaysMatch": wanted}})
        self._session = f"/{made['sessionId']}"
        self._stack.callback(self._ask, "DELETE", "")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self._stack.close()

    def open(self, url: str) -> None:
        """Go there."""
        self._ask("POST", "/url", {"url": url})

    def type(self, selector: str, text: str) -> None:
        """Type into the first element that the CSS selector fits."""
        self._ask("POST", f"/element/{self._find(selector)}/value", {"text": text})

    def click(self, selector: str) -> None:
        """Click on the first element that the CSS selector fits."""
        self._ask("POST", f"/element/{self._find(selector)}/click", {})

    def value(self, selector: str) -> str:
        """What stands in the first field that the CSS selector fits."""
        return str(self._ask("GET", f"/element/{self._find(selector)}/property/value"))

    @property
    def url(self) -> str:
        """Where it is."""
        return str(self._ask("GET", "/url"))

    @property
    def text(self) -> str:
        """What a person reads on the page."""
        # In one question: between two the page may have become another.
        script = "return document.body ? document.body.innerText : ''"
        return str(self._ask("POST", "/execute/sync", {"script": script, "args": []}))

    def _find(self, selector: str) -> str:
        found = self._ask("POST", "/element", {"using": "css selector", "value": selector})
        return str(found[_ELEMENT])

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        connection = http.client.HTTPConnection(LOOPBACK, self._port, timeout=_PATIENCE)
        try:
            given = None if body is None else json.dumps(body)
            connection.request(method, f"/session{self._session}{path}", given, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            said = json.loads(answer.read())["value"]
        finally:
            connection.close()
        if answer.status != 200:
            raise AssertionError(f"{method} {path}: {said['error']}: {said['message']}")
        return said

"""What `emaild fetch` asks of the running daemon, by files in the state directory.

`ID.ask` is written by the command, and taken away by the daemon when it has read it; `ID.told` is written by the daemon
and taken away by the command: a line of JSON for each mailbox when its look has ended. Nothing of it needs to outlast a
loss of power: what nobody took away is void after a while.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from emaild.clock import Clock
from emaild.jobs.asked import Fetched, Told, nobody
from emaild.log import events
from emaild.settings.routes import COMMAND_LINE

FOLDER = "fetch"
EVERY = 0.5  # seconds
ASK_LASTS, TOLD_LASTS = 60.0, 86_400.0  # seconds
LARGEST = 1 << 20  # bytes of an ask: some ten thousand sections

Ask = Callable[[str, Told], bool]
"""Has a mailbox looked into and *told* called at the end; False: no such mailbox is read."""


class Fetches:
    """The job that reads what was asked."""

    name = "fetches"
    host = "state"

    def __init__(self, state: Path, ask: Ask, clock: Clock) -> None:
        self._folder = state / FOLDER
        self._ask = ask
        self._clock = clock

    def run(self) -> float:
        """Twice a second; a folder that cannot be read just now is read the next time."""
        with contextlib.suppress(OSError):
            for path in [*self._folder.iterdir()]:
                with contextlib.suppress(OSError):
                    self._one(path)
        return EVERY

    def _one(self, path: Path) -> None:
        lasts = ASK_LASTS if path.suffix == ".ask" else TOLD_LASTS
        if self._clock.now().timestamp() - path.stat().st_mtime > lasts:
            path.unlink()
        elif path.suffix == ".ask":
            with path.open("rb") as stream:
                path.unlink()  # first, so that one which cannot be is not read again and again
                content = stream.read(LARGEST)
            with contextlib.suppress(ValueError, RecursionError):
                self._asked(path.with_suffix(".told"), json.loads(content))

    def _asked(self, path: Path, wanted: object) -> None:
        asked: dict[str, object] = wanted if isinstance(wanted, dict) else {}
        names = asked.get("sections")
        for name in names if isinstance(names, list) else ():
            told: Told = _Telling(path, str(name)) if asked.get("wait") else nobody
            if self._ask(str(name), told):
                events.mailbox_poll_asked(section=str(name), client=COMMAND_LINE)
            else:
                told(Fetched(error="no such mailbox is read", temporary=False))


class _Telling:
    """Writes down what one look came to."""

    def __init__(self, path: Path, section: str) -> None:
        self._path = path
        self._section = section

    def __call__(self, found: Fetched) -> None:
        line = json.dumps({"section": self._section, **asdict(found)}) + "\n"
        with contextlib.suppress(OSError):  # whoever asked has a bound for his patience
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            with open(descriptor, "wb", buffering=0) as stream:
                stream.write(line.encode())


class Asking:
    """The command's side of it. Use it as a context: what it wrote is gone at its end.

    Raises:
        OSError: the state directory cannot be written.
    """

    def __init__(self, state: Path, sections: Sequence[str], *, wait: bool) -> None:
        name = secrets.token_hex(8)
        folder = state / FOLDER
        folder.mkdir(mode=0o700, exist_ok=True)
        self._told = folder / f"{name}.told"
        self.path = folder / f"{name}.ask"
        draft = folder / f"{name}.draft"
        draft.write_text(json.dumps({"sections": sections, "wait": wait}))
        draft.replace(self.path)
        self._read = 0

    def told(self) -> Iterator[tuple[str, Fetched]]:
        """What was told since this was last asked, by section."""
        try:
            with self._told.open("rb") as stream:
                stream.seek(self._read)
                content = stream.read()
        except FileNotFoundError:
            return
        whole = content[: content.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.splitlines():
            said = json.loads(line)
            yield said.pop("section"), Fetched(**said)

    def __enter__(self) -> Asking:
        return self

    def __exit__(self, *error: object) -> None:
        for path in (self.path, self._told):
            path.unlink(missing_ok=True)

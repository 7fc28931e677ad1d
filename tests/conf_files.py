"""Conf files in a folder of their own, as a test writes and reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from emaild.errors import ConfigError
from emaild.settings.load import Settings, load

MAILBOX = "server = localhost\nmailbox = ann\npassword = hunter2\n"
"""The lines that every mailbox section must have."""
WEBHOOK = "url = https://hooks.example.com/mail\nsecret = whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=\n"
MUST = {
    "pop-client": MAILBOX,
    "smtp-client": "server = localhost\n",
    "secret-x": "password = hunter2\n",
    "rule-x": "then-queue = sales\n",
    "api-token-x": "token = 0123456789abcdef\n",
    "webhook": WEBHOOK,
}
"""What must stand in a section of each kind; in those that are not named, nothing."""


class ConfFiles:
    """`emaild.conf`, and what lies beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.main = folder / "emaild.conf"

    def write(self, content: str | bytes, name: str = "emaild.conf") -> Path:
        """Write a file, UTF-8 where text is given; *name* may be one in conf.d."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.chmod(0o600)
        return path

    def load(self, content: str | bytes | None = None, *, outside_unit: bool = False) -> Settings:
        """The settings, of *content* if it is given."""
        if content is not None:
            self.write(content)
        return load(self.main, outside_unit=outside_unit)

    def faults(self, content: str | bytes | None = None) -> list[str]:
        """The lines with which it is refused, without the folder's name."""
        with pytest.raises(ConfigError) as refused:
            self.load(content)
        return [line.removeprefix(f"{self.folder}/") for line in refused.value.lines]

    def warnings(self, content: str, *, outside_unit: bool = False) -> list[str]:
        """The warnings with which it is accepted, without the folder's name."""
        return [
            str(warning).removeprefix(f"{self.folder}/")
            for warning in self.load(content, outside_unit=outside_unit).warnings
        ]

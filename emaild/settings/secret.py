"""Passwords and tokens: never shown, and optionally kept outside the conf file."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

MASK = "***"
MASKED = "a masked password, as exports have it; expected the password itself, file:PATH, env:NAME or credential:NAME"
CREDENTIALS_VARIABLE = "CREDENTIALS_DIRECTORY"  # systemd.exec(5), LoadCredential=
CREDENTIAL_STORES = (Path("/etc/credstore"), Path("/run/credstore"))


class CredentialMissing(ValueError):
    """A systemd credential that cannot be seen from outside the unit."""


@dataclass(frozen=True)
class Secret:
    """A value that its owner can `reveal()` and that nothing else prints. Equal when the values are equal.

    `literal`: it stands in the conf file itself. `file`: it was read from there, and may change there.
    """

    _value: str = field(repr=False)
    literal: bool = field(default=True, compare=False)
    file: Path | None = field(default=None, compare=False)

    def reveal(self) -> str:
        """The secret itself: for the one line of code that hands it to a server."""
        return self._value

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__


def read_secret(text: str) -> Secret:
    """A secret from what stands in the conf file: itself, or `file:PATH`, `env:NAME`, `credential:NAME`.

    One line end at the end of a file is not part of its secret.

    Raises:
        ValueError: the file, variable or credential is not there, or nothing but asterisks stands here; the text
            says which, and never holds a secret.
    """
    kind, colon, rest = text.partition(":")
    if not colon or kind not in ("file", "env", "credential"):
        if text and not text.strip("* "):
            raise ValueError(MASKED)
        return Secret(text)
    if not rest:
        raise ValueError(f"'{kind}:' must be followed by a name")
    if kind == "env":
        if rest not in os.environ:
            raise ValueError(f"the environment variable {rest} is not set")
        return Secret(os.environ[rest], literal=False)
    path = Path(rest) if kind == "file" else _credential_path(rest)
    if not path.is_absolute():
        raise ValueError("'file:' must be followed by an absolute path, for a daemon has no folder of its own")
    try:
        found = path.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text") from error
    return Secret(found, literal=False, file=path if kind == "file" else None)


def _credential_path(name: str) -> Path:
    """Where systemd put the credential; outside the unit, where it would take it from."""
    if "/" in name or name in (".", ".."):
        raise ValueError(f"a credential's name has no slash: {name!r}")
    given = os.environ.get(CREDENTIALS_VARIABLE)
    if given:
        return Path(given, name)
    for store in CREDENTIAL_STORES:
        if os.path.exists(store / name):  # unlike Path.exists, False for a folder that only root may look into
            return store / name
    raise CredentialMissing(
        f"no credential {name}: neither in ${CREDENTIALS_VARIABLE} (set by systemd's LoadCredential=)"
        f" nor in {' or '.join(map(str, CREDENTIAL_STORES))}"
    )

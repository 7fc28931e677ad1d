"""Refresh tokens on disk: sealed with a key of this installation, replaced in one step.

A token lies in `tokens/` of the state directory, encrypted with AES-GCM. The key is made from `seal.key`, a file of 32
random bytes beside it, and the machine's ID; where systemd hands in the credential emaild-seal-key it is made from that
alone. So neither a copy of one token nor a copy of the whole directory on another machine can be opened.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import hmac
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from emaild.net.loading import loaded
from emaild.settings.secret import Secret, read_secret

CREDENTIAL = "emaild-seal-key"
KEY_FILE, FOLDER, LOCK, NEW = "seal.key", "tokens", ".lock", ".new-"
MACHINE_ID = Path("/etc/machine-id")
KEY_BYTES, NONCE_BYTES = 32, 12
OF_FILE, OF_CREDENTIAL = b"emaild sealed 1 file\n", b"emaild sealed 1 cred\n"
MOST = 64 << 10  # bytes; a token of Microsoft's has 2,000
LOCK_TRIES, LOCK_PAUSE = 50, 0.1

Stamp = tuple[int, int, int] | None
"""What tells one state of a file from another; None: it is not there."""


class SealBroken(Exception):
    """A token is there and cannot be opened: its key is another's, or it was damaged."""


class Sealed:
    """The tokens of one state directory. What cannot be read or written at all raises OSError."""

    def __init__(self, state: Path, machine_id: Path = MACHINE_ID) -> None:
        self._key_file = state / KEY_FILE
        self._folder = state / FOLDER
        self._machine_id = machine_id

    def read(self, name: str) -> Secret | None:
        """The token of that name; None where there is none.

        Raises:
            SealBroken: it cannot be opened here.
        """
        try:
            with open(self._path(name), "rb") as file:
                sealed = file.read(MOST + 1)
        except FileNotFoundError:
            return None
        kind, rest = sealed[: len(OF_FILE)], sealed[len(OF_FILE) :]
        key = {OF_FILE: self._key_of_file, OF_CREDENTIAL: _key_of_credential}.get(kind, lambda: None)()
        if key is None:
            raise SealBroken
        try:
            opened: bytes = _cipher(key).decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], kind + name.encode())
            return Secret(opened.decode(), literal=False)
        except Exception as error:  # InvalidTag, and whatever else bytes from elsewhere may cause
            raise SealBroken from error

    def write(self, name: str, token: Secret) -> None:
        """Keep a token in the place of the one before; after a return it is on the disk."""
        with self._alone():
            self._put(name, token)

    def replace(self, name: str, old: Secret, new: Secret) -> None:
        """Keep *new* where *old* still is the one that is kept: a sign-in meanwhile has its way."""
        with self._alone():
            try:
                kept = self.read(name)
            except SealBroken:
                return
            if kept == old:
                self._put(name, new)

    def stamp(self, name: str) -> Stamp:
        """Another one after each change."""
        return stamp_of(self._path(name))

    def _path(self, name: str) -> Path:
        return self._folder / hashlib.sha256(name.encode()).hexdigest()

    def _put(self, name: str, token: Secret) -> None:
        kind, key = OF_CREDENTIAL, _key_of_credential()
        if key is None:
            kind, key = OF_FILE, self._key_of_file(make=True)
        assert key is not None
        nonce = os.urandom(NONCE_BYTES)
        sealed = kind + nonce + _cipher(key).encrypt(nonce, token.reveal().encode(), kind + name.encode())
        with _written(self._folder, sealed) as made:
            os.replace(made, self._path(name))

    def _key_of_file(self, make: bool = False) -> bytes | None:
        try:
            secret = self._key_file.read_bytes()
        except FileNotFoundError:
            if not make:
                return None
            with _written(self._key_file.parent, os.urandom(KEY_BYTES)) as made, contextlib.suppress(FileExistsError):
                os.link(made, self._key_file)  # another process may have been first, and its key counts
            secret = self._key_file.read_bytes()
        if len(secret) != KEY_BYTES:
            return None if not make else self._made_anew()
        try:
            machine = self._machine_id.read_bytes().strip()
        except OSError:
            machine = b""
        return hmac.digest(secret, b"file" + machine, "sha256")

    def _made_anew(self) -> bytes | None:
        """A key in the place of one that is damaged, with which nothing can be opened any more."""
        self._key_file.unlink(missing_ok=True)
        return self._key_of_file(make=True)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Daemon and `emaild login` write in turns."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        with open(self._folder / LOCK, "ab", opener=_private) as lock:
            for tries in reversed(range(LOCK_TRIES)):
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if not tries:
                        raise
                    time.sleep(LOCK_PAUSE)
            for left in self._folder.glob(f"{NEW}*"):  # by a process that was killed
                left.unlink(missing_ok=True)
            yield


def stamp_of(path: Path) -> Stamp:
    """Another one after each change of that file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _key_of_credential() -> bytes | None:
    try:
        secret = read_secret(f"credential:{CREDENTIAL}").reveal()
    except ValueError:
        return None
    return hmac.digest(secret.encode(), b"credential", "sha256")


def _cipher(key: bytes) -> Any:
    return loaded("cryptography.hazmat.primitives.ciphers.aead").AESGCM(key)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)


@contextlib.contextmanager
def _written(folder: Path, content: bytes) -> Iterator[str]:
    """A new file with that content, on the disk, to be given its name inside; so is the name after it."""
    descriptor, made = tempfile.mkstemp(dir=folder, prefix=NEW)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield made
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(made)

"""Refresh tokens on disk: sealed with a key of this installation, replaced in one step.

A token lies in `tokens/` of the state directory, encrypted with AES-GCM. The key is made from `seal.key`, a file of 32
random bytes beside it, and the machine's ID; where systemd hands in the credential emaild-seal-key it is made from that
alone. So neither a copy of one token nor a copy of the whole directory on another machine can be opened.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from emaild.disk import NEW, sync, written
from emaild.interrupts import to_its_end
from emaild.net.loading import loaded
from emaild.net.oauth.disk import PAUSE, Stamp, check_file, check_folder, locked, make_folder, stamp_of
from emaild.settings.secret import Secret, read_secret

CREDENTIAL = "emaild-seal-key"
KEY_FILE, FOLDER, LOCK = "seal.key", "tokens", ".lock"
MACHINE_ID = Path("/etc/machine-id")
KEY_BYTES, NONCE_BYTES = 32, 12
OF_FILE, OF_CREDENTIAL = b"emaild sealed 1 file\n", b"emaild sealed 1 cred\n"
MOST = 64 << 10  # bytes; a token of Microsoft's has 2,000
LOCK_PATIENCE = 5.0  # seconds that another may take to write


class SealBroken(Exception):
    """A token is there and cannot be opened: its key is another's, or it was damaged."""


class Sealed:
    """The tokens of one state directory. What cannot be read or written at all raises OSError."""

    def __init__(self, state: Path, machine_id: Path = MACHINE_ID) -> None:
        self._key_file = state / KEY_FILE
        self._folder = state / FOLDER
        self._machine_id = machine_id
        self._lock = threading.Lock()
        self._turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._unkept: dict[str, tuple[Secret, Secret]] = {}  # by name: the one on disk, and the one that follows it
        self._marks: dict[str, Stamp] = {}
        self._ours: dict[str, Stamp] = {}

    def read(self, name: str) -> Secret | None:
        """The token of that name; None where there is none.

        Raises:
            SealBroken: it cannot be opened here. OSError: others could have put it there, too.
        """
        check_folder(self._folder)
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
                self.mark(name)
                self._put(name, new)
                with self._lock:
                    self._ours[name] = self.stamp(name)

    def forget(self, name: str) -> None:
        """Keep nothing under that name any more."""
        with self._alone():
            self._path(name).unlink(missing_ok=True)
            sync(self._folder)

    def stamp(self, name: str) -> Stamp:
        """Another one after each change."""
        return stamp_of(self._path(name))

    def mark(self, name: str) -> Stamp:
        """Another one after each sign-in: after each change but those that `replace` made here."""
        with self._lock:
            stamp = self.stamp(name)
            if stamp is None or stamp != self._ours.get(name):
                self._marks[name] = stamp
            return self._marks.get(name)

    # Tokens that follow another

    @contextlib.contextmanager
    def turn(self, name: str, enough: Callable[[], bool]) -> Iterator[None]:
        """Alone with that token among all threads and processes, for as long as another is asked for with it.

        Raises:
            BlockingIOError: others had it until *enough* said so.
        """
        with self._lock:
            turn = self._turns[name]
        while not turn.acquire(timeout=PAUSE):
            if enough():
                raise BlockingIOError
        try:
            with contextlib.ExitStack() as stack:
                try:
                    check_folder(self._folder)
                    stack.enter_context(locked(self._path(name).with_name(f"{LOCK}-{self._path(name).name}"), enough))
                except BlockingIOError:
                    raise
                except OSError:  # a full disk, or none: then the threads of this process at least take turns
                    pass
                yield
        finally:
            turn.release()

    def latest(self, name: str) -> tuple[Secret, Secret] | None:
        """The token on disk, and the one to use, which follows it where that could not be written yet.

        To be called in the `turn`. Raises as `read`.
        """
        self._try(name)
        kept = self.read(name)
        unkept = self._unkept.get(name)
        if kept is None or unkept is None or unkept[0] != kept:  # somebody has signed in since
            self._unkept.pop(name, None)
            return None if kept is None else (kept, kept)
        return unkept

    def follow(self, name: str, old: Secret, new: Secret) -> OSError | None:
        """As `replace`, to be called in the `turn`. Returns why it cannot be written; it is tried again by `flush`.

        A signal that would end it, as an alarm, is heard when it is written.
        """
        self._unkept[name] = old, new
        return self._try(name)

    def flush(self) -> bool:
        """Try to write what could not be written. Returns whether nothing is left."""
        for name in list(self._unkept):
            with contextlib.suppress(BlockingIOError), self.turn(name, lambda: True):  # else who has it writes it
                self._try(name)
        return not self._unkept

    def _try(self, name: str) -> OSError | None:
        waiting = self._unkept.get(name)
        return None if waiting is None else to_its_end(lambda: self._follow(name, *waiting))

    def _follow(self, name: str, old: Secret, new: Secret) -> OSError | None:
        try:
            self.replace(name, old, new)
        except OSError as error:
            return error
        self._unkept.pop(name, None)
        return None

    # Files

    def _path(self, name: str) -> Path:
        return self._folder / hashlib.sha256(name.encode()).hexdigest()

    def _put(self, name: str, token: Secret) -> None:
        kind, key = OF_CREDENTIAL, _key_of_credential()
        if key is None:
            kind, key = OF_FILE, self._key_of_file(make=True)
        assert key is not None
        nonce = os.urandom(NONCE_BYTES)
        sealed = kind + nonce + _cipher(key).encrypt(nonce, token.reveal().encode(), kind + name.encode())
        with written(self._folder, sealed) as made:
            os.replace(made, self._path(name))

    def _key_of_file(self, make: bool = False) -> bytes | None:
        check_file(self._key_file)
        try:
            secret = self._key_file.read_bytes()
        except FileNotFoundError:
            if not make:
                return None
            with written(self._key_file.parent, os.urandom(KEY_BYTES)) as made, contextlib.suppress(FileExistsError):
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
        check_folder(self._folder)
        make_folder(self._folder)
        with locked(self._folder / LOCK, enough_after(LOCK_PATIENCE)):
            for left in self._folder.glob(f"{NEW}*"):  # by a process that was killed
                left.unlink(missing_ok=True)
            yield


def enough_after(seconds: float) -> Callable[[], bool]:
    """Whether that time is over, counted from now."""
    until = time.monotonic() + seconds
    return lambda: time.monotonic() >= until


def _key_of_credential() -> bytes | None:
    try:
        secret = read_secret(f"credential:{CREDENTIAL}").reveal()
    except ValueError:
        return None
    return hmac.digest(secret.encode(), b"credential", "sha256")


def _cipher(key: bytes) -> Any:
    return loaded("cryptography.hazmat.primitives.ciphers.aead").AESGCM(key)

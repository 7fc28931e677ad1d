"""The programs that the tests start: whom they run as, where they write, how they are ended."""

import contextlib
import grp
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.servers.wait import eventually

_ZOMBIE = "Z"


@dataclass(frozen=True)
class Account:
    """An account of the system, by name and by number."""

    name: str
    group: str
    uid: int
    gid: int


def unprivileged() -> Account:
    """The account that servers run as: the one that runs the tests, or `nobody` when that is root."""
    entry = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    return Account(entry.pw_name, grp.getgrgid(entry.pw_gid).gr_name, entry.pw_uid, entry.pw_gid)


class Home:
    """A server's own folder. It lies outside pytest's folders, which nobody but the tests' user can enter."""

    def __init__(self, server: str, owner: Account | None = None) -> None:
        """Make the folder; everything in it is the *owner's*, or stays the tests' own."""
        self.path = Path(tempfile.mkdtemp(prefix=f"emaild-{server}-"))
        self._owner = owner if owner and owner.uid != os.geteuid() else None
        self.path.chmod(0o755)
        self.give(self.path)

    def folder(self, *names: str) -> Path:
        """Make a folder inside, and those above it, unless they are there."""
        path = self.path
        for name in names:
            path = path / name
            with contextlib.suppress(FileExistsError):  # a server makes folders in it, too
                path.mkdir()
                self.give(path)
        return path

    def write(self, name: str, content: str | bytes, mode: int = 0o600) -> Path:
        """Write a file inside."""
        path = self.path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.chmod(mode)
        self.give(path)
        return path

    def give(self, path: Path) -> None:
        """Make the owner of the folder the owner of *path*."""
        if self._owner:
            os.chown(path, self._owner.uid, self._owner.gid)

    def remove(self) -> None:
        """Remove the folder and everything in it."""
        shutil.rmtree(self.path, ignore_errors=True)


class Program:
    """A program that stays in the foreground, in a process group of its own."""

    def __init__(self, arguments: Sequence[str], *, account: Account, output: Path) -> None:
        """Start it as *account*; what it prints goes to the file *output*."""
        switch = account.uid != os.geteuid()
        with output.open("ab") as stream:
            self._process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                cwd="/",
                start_new_session=True,
                user=account.uid if switch else None,
                group=account.gid if switch else None,
                extra_groups=() if switch else None,
            )
        self.group = self._process.pid
        self._output = output

    def ended(self) -> bool:
        """Say whether the program itself is gone."""
        return self._process.poll() is not None

    def printed(self) -> str:
        """What the program wrote to its output so far."""
        return self._output.read_text(encoding="utf-8", errors="replace")

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the program alone."""
        self._process.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGTERM, grace: float = 5.0) -> None:
        """Signal the program; return when it and its children are gone, if need be killed after *grace*."""
        if not self.ended():
            self.send(number)
        end_group(self.group, grace)
        self._process.wait(grace + 1)


def members(group: int) -> list[int]:
    """The processes of a process group that still run; those that only wait to be reaped do not."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The second column is the program's name in parentheses, which may hold blanks.
            state, _parent, its_group, *_ = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state != _ZOMBIE and int(its_group) == group:
            found.append(int(stat.parent.name))
    return found


def end_group(group: int, grace: float = 5.0) -> None:
    """Return when no process of the group runs any more; those that outstay *grace* seconds are killed."""
    try:
        eventually(lambda: not members(group), within=grace)
    except AssertionError:
        for pid in members(group):
            _kill(pid)
        eventually(lambda: not members(group), what=f"the end of process group {group}")


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def is_running(process: int) -> bool:
    """Whether a process is there that has not ended; one that nobody waited for has (proc(5), Z)."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"

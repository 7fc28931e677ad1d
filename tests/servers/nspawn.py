"""A booted systemd with a network of its own, for units: the machine's /usr, everything else empty and in memory."""

import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers.presence import require, require_root
from tests.servers.wait import eventually

_CGROUPS = Path("/sys/fs/cgroup")
_NAME = "emaild-test-"  # and the process id of the tests: the name of the machine and of its cgroup
_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
_NAMESPACES = ("--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup")

# An /etc that is empty at boot would be indexed, which is slow, and asked about on the console; and there is no
# network to wait for.
_MASKED = (
    "systemd-firstboot.service",
    "ldconfig.service",
    "systemd-hwdb-update.service",
    "systemd-journal-catalog-update.service",
    "systemd-networkd-wait-online.service",
    "NetworkManager-wait-online.service",
)

# Arguments: the cgroups to join, --, those of systemd-nspawn. What systemd-nspawn itself writes under /run, and every
# mount, belongs to this mount namespace and is gone with it. The PID namespace ends with its first process, which
# ends with unshare, which ends with the tests: no inner systemd can outlive systemd-nspawn, as it would otherwise.
_LAUNCH = """
until [ "$1" = -- ]; do echo $$ > "$1/cgroup.procs" || exit 1; shift; done
shift
exec setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child=KILL --mount-proc \
    sh -c 'mount -t tmpfs tmpfs /run && exec systemd-nspawn "$@"' sh "$@"
"""


class Container:
    """A systemd that runs as the first process of its own small machine: `with Container({folder: "/opt/x"}) as it`.

    The folders given are there, read-only, at the paths named. Nothing it does is seen outside. However the tests
    end, no process and no mount is left; where they are killed, an empty cgroup stays until the next run.
    """

    def __init__(self, folders: Mapping[Path, str]) -> None:
        """Look for what is needed; entering the context boots."""
        require_root()
        require("systemd-nspawn", "nsenter", "unshare", "setpriv")
        self._folders = dict(folders)
        self._leader = 0
        self._console = tempfile.TemporaryFile()  # noqa: SIM115  (closed when everything is cleaned up)
        self._process: subprocess.Popen[bytes] | None = None
        self._cgroups: list[Path] = []

    def __enter__(self) -> Self:
        """Boot, and return when units can be started."""
        try:
            self._launch()
            eventually(self._booted, within=30, what="the boot of a systemd")
        except BaseException:
            self._clean_up()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Power off, and remove what is left."""
        try:
            self.poweroff()
        finally:
            self._clean_up()

    def run(self, *command: str, stdin: str = "", within: float = 20.0) -> subprocess.CompletedProcess[str]:
        """Run a command in there as root, and return when it has ended, with whatever code."""
        return subprocess.run(
            ("nsenter", f"--target={self._leader}", *_NAMESPACES, "--", *command),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=within,
            env=_ENVIRONMENT,
            cwd="/",
        )

    def must(self, *command: str, stdin: str = "") -> str:
        """Run a command in there that has to succeed; return what it printed."""
        done = self.run(*command, stdin=stdin)
        if done.returncode:
            raise AssertionError(f"{' '.join(command)} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def install(self, path: str, content: str, *options: str) -> None:
        """Write a file in there, with install(1)'s options for owner and mode."""
        self.must("install", *options, "/dev/stdin", path, stdin=content)

    @contextmanager
    def drop_in(self, unit: str, name: str, *lines: str) -> Iterator[None]:
        """Settings of a service for a while, as `systemctl edit` and `systemctl revert` do it."""
        path = f"/etc/systemd/system/{unit}.d/{name}.conf"
        self.install(path, "\n".join(("[Service]", *lines, "")), "-D", "--mode=644")
        self.must("systemctl", "daemon-reload")
        try:
            yield
        finally:
            self.must("rm", path)
            self.must("systemctl", "daemon-reload")

    def path(self, inside: str) -> Path:
        """A path in there as this process can open it."""
        return Path(f"/proc/{self._leader}/root{inside}")

    def poweroff(self) -> None:
        """Shut down as an operator would."""
        if self._process and self._process.poll() is None:
            self.run("systemctl", "poweroff", "--no-block")
            with suppress(subprocess.TimeoutExpired):  # cleaning up kills it then
                self._process.wait(15)

    def _launch(self) -> None:
        name = f"{_NAME}{os.getpid()}"
        above = _own_cgroups()
        _remove_left(above)
        self._cgroups = [group / name for group in above]
        for group in self._cgroups:
            group.mkdir(exist_ok=True)
        nspawn = (
            *("--register=no", "--keep-unit", "--quiet", f"--machine={name}", "--directory=/", "--volatile=yes"),
            *("--private-network", "--link-journal=no", "--console=pipe"),
            *(f"--bind-ro={folder}:{inside}" for folder, inside in self._folders.items()),
            *("--boot", "systemd.unit=basic.target", *(f"systemd.mask={unit}" for unit in _MASKED)),
        )
        self._process = subprocess.Popen(
            ("sh", "-c", _LAUNCH, "sh", *map(str, self._cgroups), "--", *nspawn),
            stdin=subprocess.DEVNULL,
            stdout=self._console,
            stderr=self._console,
            env=_ENVIRONMENT,
            cwd="/",
            start_new_session=True,
        )

    def _booted(self) -> bool:
        """Find the inner systemd below unshare and systemd-nspawn, and ask it."""
        assert self._process
        if self._process.poll() is not None:
            raise AssertionError(f"systemd-nspawn ended with {self._process.returncode}: {self._printed()}")
        for nspawn in _children(self._process.pid):
            for child in _children(nspawn):
                self._leader = child
                asked = self.run("systemctl", "is-active", "basic.target")
                if asked.stdout.strip() == "active":
                    return True
        return False

    def _printed(self) -> str:
        """What the boot wrote to the console."""
        return os.pread(self._console.fileno(), 100_000, 0).decode("utf-8", "replace")

    def _clean_up(self) -> None:
        """Leave no process, no mount and no cgroup."""
        if self._process:
            self._process.kill()
            self._process.wait(10)
        self._console.close()
        eventually(lambda: all(map(_removed, self._cgroups)), within=10, what="the end of all its processes")


def _own_cgroups() -> list[Path]:
    """Where this process is in systemd's hierarchies: the unified one, the old named one, or both."""
    found = []
    for line in Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "name=systemd":
            found.append(_CGROUPS / "systemd" / path.lstrip("/"))
        elif not controllers:
            top = _CGROUPS if (_CGROUPS / "cgroup.controllers").exists() else _CGROUPS / "unified"
            found.append(top / path.lstrip("/"))
    return [group for group in found if group.is_dir()]


def _remove_left(above: Iterable[Path]) -> None:
    """Remove the cgroups of tests that were killed before they could."""
    for group in (left for folder in above for left in folder.glob(f"{_NAME}*")):
        if not Path("/proc", group.name.removeprefix(_NAME)).exists():
            _removed(group)


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def _removed(group: Path) -> bool:
    """Remove a cgroup and those below it; say whether that worked, which it does once no process is left in them."""
    for folder, _, _ in os.walk(group, topdown=False):
        with suppress(OSError):
            Path(folder).rmdir()
    return not group.exists()

"""Proxies of four makes: microsocks and Dante speak SOCKS5, Squid and Tinyproxy CONNECT."""

import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers.authority import SERVER_NAMES
from tests.servers.ports import LOOPBACK, ReservedPort, listening
from tests.servers.presence import require, require_root
from tests.servers.processes import Account, Home, Program, unprivileged
from tests.servers.wait import eventually

USER = "puser"
PASSWORD = "ppass"
FORBIDDEN = "127.0.0.9"  # the address that Squid and Dante let nobody reach

Command = Callable[[Home, int, bool], Sequence[str]]


class ProxyProgram:
    """A proxy of its own on loopback: `with ProxyProgram("squid", signs_in=True) as proxy`.

    With *signs_in* it wants USER and PASSWORD; Dante, which knows the system's users alone, lets nobody in then.
    """

    def __init__(self, program: str, *, signs_in: bool = False) -> None:
        """Write its configuration: *program* is microsocks, squid, tinyproxy or danted (which root must start)."""
        path = require(program)
        account = unprivileged()
        if program == "danted":
            require_root()
            account = Account("root", "root", 0, 0)
        self.name = program
        self._account = account
        self._home = Home(program, account)
        self._reserved = ReservedPort()
        self.port = self._reserved.number
        self._arguments = (path, *_COMMANDS[program](self._home, self.port, signs_in))
        self._process: Program | None = None

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it and remove what it wrote."""
        self.stop()
        self._home.remove()
        self._reserved.release()

    def start(self) -> None:
        """Start, or start again at the same port, and return when it listens."""
        process = Program(self._arguments, account=self._account, output=self._home.path / "output")
        eventually(lambda: process.ended() or listening(self.port), within=20, what=f"the start of {self._arguments}")
        if process.ended():
            raise AssertionError(f"{self._arguments} did not start: {self.log()}")
        self._process = process

    def stop(self) -> None:
        """End it, and with it what goes through it."""
        if self._process:
            self._process.end(signal.SIGKILL, grace=0)  # it keeps nothing, and Squid would take its time
            self._process = None
            for path in Path("/dev/shm").glob(f"{_squids_name(self.port)}-*"):
                path.unlink()

    def log(self) -> str:
        """What it wrote so far: each destination stands in it."""
        return "".join(path.read_text(errors="replace") for path in self._home.path.iterdir() if path.is_file())


def _microsocks(home: Home, port: int, signs_in: bool) -> Sequence[str]:
    return ("-i", LOOPBACK, "-p", str(port), *(("-u", USER, "-P", PASSWORD) if signs_in else ()))


def _squid(home: Home, port: int, signs_in: bool) -> Sequence[str]:
    hashed = subprocess.run(
        (require("openssl"), "passwd", "-apr1", PASSWORD), check=True, capture_output=True, text=True, timeout=30
    ).stdout
    users = home.write("users", f"{USER}:{hashed}")
    hosts = home.write("hosts", f"{LOOPBACK} {' '.join(SERVER_NAMES)}\n")  # not all of them are known to this machine
    who = ""
    if signs_in:
        who = f"auth_param basic program /usr/lib/squid/basic_ncsa_auth {users}\nacl who proxy_auth REQUIRED\n"
    conf = f"""\
http_port {LOOPBACK}:{port}
{who}acl forbidden dst {FORBIDDEN}
acl here dst 127.0.0.0/8 ::1
http_access deny forbidden
http_access allow {"who " if signs_in else ""}here
http_access deny all
hosts_file {hosts}
cache deny all
pid_filename {home.path}/pid
access_log stdio:{home.path}/access
cache_log {home.path}/cache
coredump_dir {home.path}
netdb_filename none
pinger_enable off
visible_hostname proxy.test
"""
    return ("-N", "-n", _squids_name(port), "-f", str(home.write("conf", conf)))


def _squids_name(port: int) -> str:
    """Squids of one name share their memory, and cannot start at the same time."""
    return f"emaild{port}"


def _tinyproxy(home: Home, port: int, signs_in: bool) -> Sequence[str]:
    who = f"BasicAuth {USER} {PASSWORD}\n" if signs_in else ""
    conf = f'Port {port}\nListen {LOOPBACK}\nAllow {LOOPBACK}\nTimeout 600\nLogFile "{home.path}/log"\n{who}'
    return ("-d", "-c", str(home.write("conf", conf)))


def _danted(home: Home, port: int, signs_in: bool) -> Sequence[str]:
    conf = f"""\
logoutput: stdout
internal: {LOOPBACK} port = {port}
external: {LOOPBACK}
clientmethod: none
socksmethod: {"username" if signs_in else "none"}
user.privileged: root
user.unprivileged: nobody
client pass {{
  from: 127.0.0.0/8 to: 0.0.0.0/0
}}
socks block {{
  from: 127.0.0.0/8 to: {FORBIDDEN}/32
}}
socks pass {{
  from: 127.0.0.0/8 to: 0.0.0.0/0
  log: connect
}}
"""
    return ("-f", str(home.write("conf", conf)), "-p", str(home.path / "pid"))


_COMMANDS: dict[str, Command] = {
    "microsocks": _microsocks,
    "squid": _squid,
    "tinyproxy": _tinyproxy,
    "danted": _danted,
}

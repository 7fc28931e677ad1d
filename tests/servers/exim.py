"""Exim: a second mail server that writes delivery status notifications, in a manner of its own."""

import pwd
from collections.abc import Mapping
from types import MappingProxyType, TracebackType
from typing import Self

from tests.servers.ports import ReservedPort, listening
from tests.servers.presence import require, require_root
from tests.servers.processes import Account, Home, Program
from tests.servers.wait import eventually

_ACCOUNT = "Debian-exim"  # which Debian's program looks up at its start, whatever the configuration says

# The queue is looked at every second. Without the two lines on privileges the program, which does not start as
# root here, would not read this configuration.
_CONF = """\
exim_path = {program}
deliver_drop_privilege = true
keep_environment =
spool_directory = {home}/spool
log_file_path = {home}/%slog
pid_file_path = {home}/pid
primary_hostname = mail.example.com
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
tls_advertise_hosts =
host_lookup =
acl_smtp_rcpt = accept
dsn_advertise_hosts = *
delay_warning = {warning}
bounce_return_body = false
{options}
begin routers
{routers}
begin transports
{transports}
begin retry
* * F,{lifetime}s,1s
"""

_ROUTER = """\
route_{number}:
  driver = manualroute
  domains = {domain}
  transport = to_{number}
  route_list = * 127.0.0.1
  self = send
"""

_TRANSPORT = """\
to_{number}:
  driver = smtp
  port = {port}
  allow_localhost
  hosts_try_fastopen =
"""

_NOTHING: Mapping[str, str] = MappingProxyType({})


class Exim:
    """An Exim with a configuration and a queue of its own: `with Exim(relay_to=2527) as server`.

    It takes mail from loopback at `smtp`, and sends it on.
    """

    def __init__(
        self,
        *,
        relay_to: int,
        transport: Mapping[str, int],
        lifetime: int = 20,
        warning: str = "1s",
        options: Mapping[str, str] = _NOTHING,
    ) -> None:
        """Write the configuration.

        Args:
            relay_to: the SMTP port on loopback that gets all mail for which *transport* says nothing.
            transport: by domain the SMTP port on loopback where its mail goes.
            lifetime: seconds after which undelivered mail is returned as failed.
            warning: after which time the sender is told of the delay.
            options: further main options.
        """
        program = require("exim4")
        require_root()
        entry = pwd.getpwnam(_ACCOUNT)
        self._account = Account(_ACCOUNT, _ACCOUNT, entry.pw_uid, entry.pw_gid)
        self._home = Home("exim", self._account)
        self._port = ReservedPort()
        self.smtp = self._port.number
        routes = [*transport.items(), ("*", relay_to)]
        conf = _CONF.format(
            program=program,
            home=self._home.path,
            port=self.smtp,
            warning=warning,
            lifetime=lifetime,
            options="".join(f"{name} = {value}\n" for name, value in options.items()),
            routers="".join(_ROUTER.format(number=number, domain=one[0]) for number, one in enumerate(routes)),
            transports="".join(_TRANSPORT.format(number=number, port=one[1]) for number, one in enumerate(routes)),
        )
        path = self._home.write("exim.conf", conf)
        self._command = (program, "-C", str(path), "-bdf", "-q1s")
        self._process: Program | None = None

    def __enter__(self) -> Self:
        """Start the server."""
        process = Program(self._command, account=self._account, output=self._home.path / "output")
        self._process = process
        eventually(lambda: process.ended() or listening(self.smtp), within=20, what="the start of Exim")
        if process.ended():
            raise AssertionError(f"Exim did not start: {process.printed()}{self.log()}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server and remove its queue."""
        if self._process:
            self._process.end()
        self._home.remove()
        self._port.release()

    def log(self) -> str:
        """What Exim logged so far."""
        return "".join(path.read_text(encoding="utf-8", errors="replace") for path in self._home.path.glob("*log"))

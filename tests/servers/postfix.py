"""Postfix: a mail server to relay through, which also writes the delivery status notifications."""

import os
import pwd
import signal
import subprocess
import time
import uuid
from collections.abc import Mapping
from types import MappingProxyType, TracebackType
from typing import Self

from tests.servers.authority import Authority
from tests.servers.ports import LOOPBACK, ReservedPort, listening
from tests.servers.presence import require, require_root
from tests.servers.processes import Home, end_group
from tests.servers.wait import eventually

# The queue is looked at every second, and what cannot be delivered is given up after `lifetime`.
_MAIN = """\
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {home}/maillog
maillog_file_prefixes = {home}
multi_instance_name = postfix-{instance}
multi_instance_enable = yes
myhostname = mail.example.com
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
mydestination =
local_recipient_maps =
alias_maps =
alias_database =
local_header_rewrite_clients =
smtp_host_lookup = native
smtp_dns_support_level = disabled
smtp_line_length_limit = 0
smtpd_error_sleep_time = 0
smtpd_client_connection_count_limit = 0
in_flow_delay = 0
delay_warning_time = 1s
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 2s
maximal_queue_lifetime = {lifetime}s
bounce_queue_lifetime = {lifetime}s
"""

_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""

_NOTHING: Mapping[str, str] = MappingProxyType({})


class Postfix:
    """A Postfix with a configuration and a queue of its own: `with Postfix(relay_to=2527) as server`.

    It takes mail from loopback at `smtp` and sends it on, unchanged below its own Received line.
    """

    def __init__(
        self,
        *,
        relay_to: int | None = None,
        transport: Mapping[str, str] = _NOTHING,
        starttls: Authority | None = None,
        message_size_limit: int | None = None,
        lifetime: int = 20,
        options: Mapping[str, str] = _NOTHING,
    ) -> None:
        """Write the configuration.

        Args:
            relay_to: the SMTP port on loopback that gets all mail for which *transport* says nothing.
            transport: by domain where its mail goes: `smtp:[127.0.0.1]:PORT` or `lmtp:inet:127.0.0.1:PORT`.
            starttls: whose certificate to show; without it STARTTLS is not offered.
            message_size_limit: in bytes; larger mail is refused.
            lifetime: seconds after which undelivered mail is returned as failed.
            options: further lines of main.cf.
        """
        self._program = require("postfix", "postconf")
        require_root()
        self._home = Home("postfix")
        self._port = ReservedPort()
        self.smtp = self._port.number
        settings = dict(options)
        if relay_to:
            settings["relayhost"] = f"[{LOOPBACK}]:{relay_to}"
        if message_size_limit is not None:
            settings["message_size_limit"] = str(message_size_limit)
        self._configure({**settings, **_routes(transport), **_tls(starttls)}, lifetime)

    def __enter__(self) -> Self:
        """Start the server."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server and remove its queue."""
        self.stop()
        self._home.remove()
        self._port.release()

    def start(self) -> None:
        """Start, or start again with the queue and the port of before, and return when it answers."""
        command = (self._program, "-c", str(self._home.path / "etc"), "start")
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        if done.returncode != 0:
            raise AssertionError(f"Postfix did not start: {done.stderr}{self.log()}")
        eventually(lambda: listening(self.smtp), within=20, what="the start of Postfix")

    def stop(self) -> None:
        """End the server and all its processes; what is in the queue stays there."""
        try:
            # The master makes a process group of its own, so its children are found by it.
            master = int((self._home.path / "queue" / "pid" / "master.pid").read_text(encoding="ascii"))
            os.kill(master, signal.SIGTERM)
        except (FileNotFoundError, ProcessLookupError):
            return
        end_group(master)

    def log(self) -> str:
        """What Postfix logged so far."""
        path = self._home.path / "maillog"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def _configure(self, settings: Mapping[str, str], lifetime: int) -> None:
        self._home.folder("queue")
        os.chown(self._home.folder("data"), pwd.getpwnam("postfix").pw_uid, -1)
        self._home.folder("etc")
        main = _MAIN.format(home=self._home.path, instance=uuid.uuid4().hex[:8], lifetime=lifetime)
        further = "".join(f"{name} = {value}\n" for name, value in settings.items())
        for name, text in (("main.cf", main + further), ("master.cf", _MASTER.format(port=self.smtp))):
            # Postfix waits until a file has been left alone for two seconds, so these say they are older.
            an_hour_ago = time.time() - 3600
            os.utime(self._home.write(f"etc/{name}", text, mode=0o644), (an_hour_ago, an_hour_ago))


def _routes(transport: Mapping[str, str]) -> dict[str, str]:
    routes = " ".join(f"{{ {domain} = {target} }}" for domain, target in transport.items())
    return {"transport_maps": f"inline:{{ {routes} }}"} if transport else {}


def _tls(authority: Authority | None) -> dict[str, str]:
    if authority is None:
        return {}
    return {
        "smtpd_tls_security_level": "may",
        "smtpd_tls_cert_file": str(authority.cert_file),
        "smtpd_tls_key_file": str(authority.key_file),
    }

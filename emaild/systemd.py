"""Talking to systemd: sd_notify(3), in the few words that a service of ours needs."""

from __future__ import annotations

import os
import socket
import time


class Notifier:
    """Sends what systemd should know to $NOTIFY_SOCKET; silent where there is none, as outside systemd."""

    def __init__(self) -> None:
        self._address = os.environ.get("NOTIFY_SOCKET", "")
        limit = os.environ.get("WATCHDOG_USEC", "")
        mine = os.environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self.watchdog_interval: float | None = int(limit) / 2_000_000 if limit.isdigit() and mine else None
        """Seconds between two `alive()`: half of WatchdogSec=, as sd_watchdog_enabled(3) advises; None = not asked."""

    def ready(self, status: str) -> None:
        """The service has started, or its reload is over."""
        self._send("READY=1", f"STATUS={status}")

    def reloading(self) -> None:
        """A reload begins."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self) -> None:
        """The service is about to end."""
        self._send("STOPPING=1", "STATUS=finishing what is under way")

    def alive(self) -> None:
        """The watchdog is answered."""
        self._send("WATCHDOG=1")

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address[0] == "@" else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.settimeout(1)
            try:
                sender.sendto("\n".join(lines).encode(), address)
            except OSError:
                return  # systemd's own limits then decide; a service that cannot say READY is stopped by it

"""Where mail goes out: what every way offers. A sink is used by one worker at a time and keeps its connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from emaild.message import Delivery, Outbound

Confirm = Callable[[], None]
"""Asks whether a mail is still ours to send; it raises LeaseLost, or StoreFailed, where it is not, or nobody knows."""


class Sink(Protocol):
    """A server that takes our mail."""

    def send(self, mail: Outbound, confirm: Confirm) -> Delivery:
        """Hand over one mail.

        *confirm* is called once, right before the step from which the server has the mail whatever comes then (over
        SMTP the dot that ends the data), and never where nobody is to get it. Where it raises, the server is left
        without the mail, and the error goes on to the caller.

        Raises:
            RemoteError: the way itself does not work, and this mail was not touched.
            LeaseLost, StoreFailed: of *confirm*.
        """

    def rest(self) -> float | None:
        """Close the connection if it was idle for too long; else seconds until it will have been, None if closed."""

    def close(self) -> None:
        """Say good-bye and drop the connection; never raises."""

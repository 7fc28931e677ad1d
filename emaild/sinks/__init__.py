"""Where mail goes out: what every way offers. A sink is used by one worker at a time and keeps its connection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from emaild.message import Outbound, Receipt


class Sink(Protocol):
    """A server that takes our mail."""

    def send(self, mail: Outbound) -> Sequence[Receipt]:
        """Hand over one mail: a receipt for each of its recipients, in their order.

        Raises:
            RemoteError: the way itself does not work, and this mail was not touched.
        """

    def rest(self) -> float | None:
        """Close the connection if it was idle for too long; else seconds until it will have been, None if closed."""

    def close(self) -> None:
        """Say good-bye and drop the connection; never raises."""

"""How long to wait before the next try."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

DOUBLINGS = 32  # far above what any `maximum` allows, and below what overflows a float


@dataclass(frozen=True, kw_only=True)
class Backoff:
    """Waits that double from `first` to `maximum` seconds, each spread by a random part.

    Without the spread everything that failed in one outage would come back in the same second.
    """

    first: float
    maximum: float
    spread: float = 0.2

    def delay(self, failures: int) -> float:
        """Seconds to wait after the given number of failures in a row (1 = the first).

        The result lies within `spread` above or below the doubled value, and never above `maximum`.
        """
        plain = self.first * 2.0 ** min(failures - 1, DOUBLINGS)
        spread = 1 + self.spread * (2 * random.random() - 1)  # noqa: S311  (not a secret)
        return min(self.maximum, plain * spread)

    def most_failures(self, seconds: float) -> int:
        """How many failures in a row there is time for by these waits, where the first was that many *seconds* ago."""
        return 1 + int(math.log2(1 + max(0.0, seconds) / (self.first * (1 - self.spread))))

"""Works of one process measured by turns."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from tests.benchmarks.figures import Figure, beside, median


def in_turns(
    works: Mapping[str, Callable[[], object]], rounds: int, *, unit: str, times: int, per_second: float
) -> list[Figure]:
    """How long each takes of the processor, in parts of a second; the figures after the first stand beside it.

    They take turns within a round, so that a busy moment of the machine is nobody's alone. In each each work is done
    *times* times, after once that does not count.
    """
    taken: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        work()
    for _ in range(rounds):
        for name, work in works.items():
            begun = time.process_time()
            for _ in range(times):
                work()
            taken[name].append((time.process_time() - begun) / times * per_second)
    first, *others = (median(name, unit, each) for name, each in taken.items())
    return [first, *(beside(figure, first) for figure in others)]

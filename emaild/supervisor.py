"""Which parts to stop, start and keep when settings change: by value, one section a part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic, Protocol, TypeVar

S = TypeVar("S")


class Part(Protocol):
    """Something that runs for a section."""

    def stop(self) -> None:
        """Take no new work; what is under way finishes by itself."""


@dataclass(frozen=True)
class Plan(Generic[S]):
    """What a change of settings means. A section that changed is in `stop` and in `start`."""

    stop: frozenset[str]
    start: Mapping[str, S]
    keep: frozenset[str]


def plan(old: Mapping[str, S], new: Mapping[str, S]) -> Plan[S]:
    """Compare two snapshots of a kind of section."""
    keep = frozenset(name for name in old if name in new and old[name] == new[name])
    return Plan(
        stop=frozenset(old) - keep,
        start={name: section for name, section in new.items() if name not in keep},
        keep=keep,
    )


class Supervisor(Generic[S]):
    """The running parts of one kind of section.

    `start` only registers work and never talks to a server, so `apply` cannot fail half-way.
    """

    def __init__(self, start: Callable[[S], Part]) -> None:
        self._start = start
        self._parts: dict[str, Part] = {}
        self.sections: Mapping[str, S] = MappingProxyType({})

    def apply(self, wanted: Mapping[str, S]) -> Plan[S]:
        """Stop, start and keep parts until exactly *wanted* runs."""
        change = plan(self.sections, wanted)
        for name in change.stop:
            self._parts.pop(name).stop()
        for name, section in change.start.items():
            self._parts[name] = self._start(section)
        self.sections = MappingProxyType(dict(wanted))
        return change

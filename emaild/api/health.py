"""Whether emaild works: for systemd, load balancers and Kubernetes.

A mailbox, a way out or a receiver that fails is the world's fault: it is told, and emaild is well all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from emaild.api.vitals import Kept, Vitals

LONGEST_SILENCE = 30.0  # seconds; the main thread comes round each second, a reload of thousands of sections aside
PATIENCE = 2.0  # seconds that the store may be busy
KEPT = 5.0  # seconds: anyone may ask, and often
MOST_NAMES = 50

Check = dict[str, Any]


@dataclass(frozen=True)
class Finding:
    """What was found: `status` is that of the HTTP answer, 200 or 503."""

    status: int
    document: Mapping[str, Any]


class Health:
    """The answers to /healthz and /readyz. Asking reads the store: not for an event loop's thread."""

    def __init__(self, vitals: Vitals) -> None:
        self._vitals = vitals
        self._store = Kept(_tried(self._read), KEPT, vitals.clock)
        self._writing = Kept(_tried(lambda: vitals.store.probe(PATIENCE)), KEPT, vitals.clock)
        self._failing_boxes: list[str] = []

    def alive(self) -> Finding:
        """/healthz: the process works; where not, start it anew."""
        pulse = self._vitals.pulse
        living = sum(worker.is_alive() for worker in pulse.workers)
        silence = pulse.silent_for()
        checks = {
            "workers": _check(living == len(pulse.workers), alive=living, expected=len(pulse.workers)),
            "main": _check(silence <= LONGEST_SILENCE, silent_seconds=round(silence, 1)),
            "store": _check(self._store()),
        }
        return _finding(checks, self._told())

    def ready(self) -> Finding:
        """/readyz: it takes work now."""
        pulse = self._vitals.pulse
        checks = {
            "started": _check(pulse.started),
            "running": _check(not pulse.stopping),
            "store": _check(self._writing()),
        }
        return _finding(checks, {"ways_out": self._ways_out()})

    def _read(self) -> None:
        states = self._vitals.store.mailboxes.all().values()
        self._failing_boxes = [state.name for state in states if state.state == "failing"]

    def _told(self) -> dict[str, Check]:
        """What does not count."""
        told = {"mailboxes": _names(self._failing_boxes), "ways_out": self._ways_out()}
        webhook = self._vitals.webhook()
        if webhook is not None:
            told["webhook"] = _check(webhook.up, failures=webhook.failures, gone=webhook.gone)
        return told

    def _ways_out(self) -> Check:
        return _names(sorted(way.section.name for way in self._vitals.ways_out() if way.failing))


def _tried(action: Callable[[], None]) -> Callable[[], bool]:
    def works() -> bool:
        try:
            action()
        except Exception:  # noqa: BLE001  (a broken file has many ways to fail, and each means the same here)
            return False
        return True

    return works


def _check(good: bool, **told: object) -> Check:
    return {"status": "ok" if good else "failing", **told}


def _names(failing: Iterable[str]) -> Check:
    names = list(failing)
    return _check(not names, failing=names[:MOST_NAMES], count=len(names))


def _finding(checks: Mapping[str, Check], told: Mapping[str, Check]) -> Finding:
    good = all(check["status"] == "ok" for check in checks.values())
    document = {"status": "ok" if good else "failing", "checks": {**checks, **told}}
    return Finding(200 if good else 503, document)

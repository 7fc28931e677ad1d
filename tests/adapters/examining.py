"""What examines sections, and what is read of its findings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from emaild.jobs.examine import Finding, Place, Section, examined, handed_over
from emaild.net.oauth import Sealed
from emaild.net.steps import StepState
from emaild.settings.mailbox import MailboxType
from emaild.settings.network import ProxySection
from emaild.settings.secret import Secret
from emaild.settings.way_out import WayOutSection
from tests.adapters.ways import outbound
from tests.clock import ManualClock

ANN, JOE = "ann@example.com", "joe@example.net"
IMAP, POP3 = MailboxType.IMAP, MailboxType.POP3
OK, FAILED, SKIPPED = StepState.OK, StepState.FAILED, StepState.SKIPPED
PATIENT = 5.0


class Doctor:
    """Examines sections, and sends test mails by ways out."""

    def __init__(self, folder: Path) -> None:
        self._sealed = Sealed(folder)
        self._clock = ManualClock()

    def place(self, section: Section, proxy: ProxySection | None = None) -> Place:
        """What it takes to try it."""
        return Place(section=section, proxy=proxy, sealed=self._sealed, clock=self._clock)

    def __call__(self, section: Section, proxy: ProxySection | None = None) -> Finding:
        """What came of a section."""
        ((_, finding),) = examined([self.place(section, proxy)])
        return finding

    def sends(self, section: WayOutSection, *recipients: str, raw: bytes = b"", told: Any = None) -> Finding:
        """What came of a test mail."""
        given = outbound(*(recipients or (JOE,)), raw=raw) if raw else outbound(*(recipients or (JOE,)))
        return handed_over(self.place(section), given, told or (lambda _: None))


def way(port: int, **given: Any) -> WayOutSection:
    """A way out to this machine; with a `user` it signs in."""
    fields: dict[str, Any] = {"server": "localhost", "connect_timeout": PATIENT, "protocol_timeout": PATIENT}
    if "user" in given:
        fields |= {"enable_authentication": True, "password": Secret("secret")}
    return WayOutSection(name="smtp-client", port_given=port, **(fields | given))


def names(finding: Finding, state: StepState | None = None) -> list[str]:
    """The steps, of that state alone where one is given."""
    return [step.name for step in finding.steps if state in (None, step.state)]


def failure(finding: Finding) -> tuple[str, str]:
    """The step that failed, which is the last, and the cause."""
    last = finding.steps[-1]
    assert not finding.works
    assert names(finding, FAILED) == [last.name]
    return last.name, finding.diagnosis.cause if finding.diagnosis else ""


def text(finding: Finding, name: str) -> str:
    """What the newest step of that name says."""
    return [step.text for step in finding.steps if step.name == name][-1]

"""Steps and findings, as a person or a program reads them."""

from __future__ import annotations

import os
from collections.abc import Iterable

from rich.text import Text

from emaild.cli.layout import hanging
from emaild.cli.output import console, duration, paragraph, plain, room, short
from emaild.jobs.examine import Finding
from emaild.net.steps import LONGEST, Step, StepState

STYLES = {StepState.OK: "green", StepState.FAILED: "bold red", StepState.SKIPPED: "dim"}
MARK, NAME, TIME = 7, 11, 8  # columns
INDENT = MARK + 3  # so that it stands below the step's name


def print_step(step: Step) -> None:
    """A mark, the step's name, its time, and what there is to say."""
    took = duration(step.seconds) if step.state is not StepState.SKIPPED else ""
    head = f"  {step.state:<{MARK}} {step.name:<{NAME}} {took:>{TIME}} "
    first, *others = hanging(head, plain(step.text), room())
    marked = Text(first)
    marked.stylize(STYLES[step.state], 2, 2 + len(step.state))
    console().print(marked, soft_wrap=True)
    for line in others:
        print(line)


def print_finding(finding: Finding) -> None:
    """Why it does not work, and what to do; nothing where it works."""
    found = finding.diagnosis
    if found is not None:
        paragraph(f"Cause: {found.title} ({found.cause}). {found.explanation}", INDENT)
    if remedy := found.remedy if found else finding.advice:
        paragraph(f"To do: {remedy}", INDENT)


def finding_json(finding: Finding) -> dict[str, object]:
    """Everything, times in seconds."""
    found = finding.diagnosis
    return {
        "works": finding.works,
        "steps": [
            {"step": one.name, "state": one.state, "text": one.text, "seconds": round(one.seconds, 4)}
            for one in finding.steps
        ],
        "reason": short(finding.reason, LONGEST) or None,
        "temporary": finding.temporary,
        "cause": found.cause if found else None,
        "title": found.title if found else None,
        "explanation": found.explanation if found else None,
        "remedy": found.remedy if found else finding.advice or None,
    }


def exit_code(findings: Iterable[Finding]) -> int:
    """0 where all work; 75 where what fails may pass by itself, else 69."""
    failed = [finding for finding in findings if not finding.works]
    if not failed:
        return os.EX_OK
    return os.EX_TEMPFAIL if all(finding.temporary for finding in failed) else os.EX_UNAVAILABLE

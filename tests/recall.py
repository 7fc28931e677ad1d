"""How much is recognised: `python -m tests.recall FOLDER [--expect bounce|ordinary] [--list]`.

FOLDER holds mails of whatever kind: files of one mail, mbox files, maildirs. It tells how many became what, and with
--expect how many of the bounces were recognised with an address, or how many ordinary mails were mistaken for a report.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from emaild.message import Facts
from emaild.mime import mbox
from emaild.mime.subtype import subtype
from emaild.mime.view import PLAIN_PROCESSING, facts


@dataclass(frozen=True, kw_only=True)
class Found:
    """What one mail was taken for."""

    name: str
    subtype: str
    addresses: tuple[str, ...]
    said: Facts

    @property
    def bounced(self) -> bool:
        """A bounce: a mail that did not reach somebody, or has not yet."""
        report = self.said.report
        told = report is not None and any(one.action in ("failed", "delayed") for one in report.recipients)
        return self.subtype == "InboundNDR" or told


def mails(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every mail below a folder, or of one file, with its name."""
    files = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else [folder]
    for path in files:
        content = path.read_bytes()
        if not content.startswith(b"From "):
            yield str(path), content
            continue
        for number, raw in enumerate(mbox.mails(content.splitlines(keepends=True), largest=len(content)), 1):
            yield f"{path}#{number}", raw or b""


def found(name: str, raw: bytes) -> Found:
    """What a mail is taken for by a daemon whose store is empty."""
    try:
        said = facts(raw)
    except Exception as fault:  # noqa: BLE001  (the tool is to name the mail that breaks the reader, and to go on)
        return Found(name=name, subtype=f"FAULT {type(fault).__name__}", addresses=(), said=Facts())
    recipients = said.report.recipients if said.report else ()
    return Found(
        name=name,
        subtype=subtype(said, PLAIN_PROCESSING, lambda _: False),
        addresses=tuple(one.address for one in recipients if "@" in one.address),
        said=said,
    )


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({part / whole:.2%})" if whole else "0 of 0"


def _told(all_found: list[Found]) -> Iterator[str]:
    """What the mails were taken for."""
    yield f"{len(all_found)} mails"
    for name, number in Counter(one.subtype for one in all_found).most_common():
        yield f"  {name}: {number}"
    yield f"  automatic: {sum(one.said.automatic is not None for one in all_found)}"
    yield f"  bounces with a failing address: {sum(one.bounced and bool(one.addresses) for one in all_found)}"


def _compared(all_found: list[Found], expect: str | None) -> tuple[list[str], list[Found]]:
    """The figures that say how well that fits what was expected, and the mails that were missed or mistaken."""
    if expect == "bounce":
        missed = [one for one in all_found if not (one.bounced and one.addresses)]
        figures = [
            f"recognised: {_share(sum(one.bounced for one in all_found), len(all_found))}",
            f"recognised with the failing address: {_share(len(all_found) - len(missed), len(all_found))}",
        ]
        return figures, missed
    if expect == "ordinary":
        mistaken = [one for one in all_found if one.bounced or one.subtype != "InboundNew"]
        return [f"mistaken: {_share(len(mistaken), len(all_found))}"], mistaken
    return [], all_found


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.recall", description="How much is recognised.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--expect", choices=("bounce", "ordinary"), help="what all of the mails are")
    parser.add_argument("--list", action="store_true", help="name the mails that were missed or mistaken, else all")
    arguments = parser.parse_args()
    all_found = [found(name, raw) for name, raw in mails(arguments.folder)]
    figures, listed = _compared(all_found, arguments.expect)
    lines = [*_told(all_found), *figures]
    if arguments.list:
        for one in listed:
            reason = one.said.automatic or "-"
            lines.append(f"{one.name}\t{one.subtype}\t{reason}\t{' '.join(one.addresses) or '-'}")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

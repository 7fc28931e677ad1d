"""Breaks valid mails and holds that every one of them is read: `python -m tests.fuzz.mime --mutants 100000`.

No exception, facts that a store can take, and no mail slower than a bound in the processor's time. What fails is
printed with its number; `--only NUMBER` writes that mail to standard output.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from dataclasses import asdict, dataclass, field
from random import Random

from emaild.message import Facts
from emaild.mime.view import facts
from emaild.settings.processing import ProcessingSection
from emaild.settings.properties import MimeProperties
from tests.fuzz.mutations import mutant

SLOWEST = 1.0  # seconds that any mail may take
PER_MEGABYTE = 0.05  # seconds more
SHOWN = 20  # failures


@dataclass
class Figures:
    """What a run has seen."""

    mutants: int = 0
    bytes: int = 0
    wrapped: int = 0
    slowest: float = 0
    slowest_number: int = -1
    slowest_size: int = 0
    failed: list[tuple[int, str]] = field(default_factory=list)


def run(mutants: int, seed: int, *, first: int = 0, progress: bool = False) -> Figures:
    """Reads that many mutants, from the number *first* on."""
    seen = Figures()
    for number in range(first, first + mutants):
        raw = mutant(seed, number)
        begun = time.process_time()
        try:
            seen.wrapped += bool(storable(facts(raw, *ways(seed, number))).wrapped)
        except Exception:  # noqa: BLE001  (that there is none is what is tested)
            seen.failed.append((number, traceback.format_exc()))
        taken = time.process_time() - begun
        if taken > SLOWEST + PER_MEGABYTE * len(raw) / (1 << 20):
            seen.failed.append((number, f"it took {taken:.2f} s for {len(raw)} bytes"))
        seen.mutants += 1
        seen.bytes += len(raw)
        if taken > seen.slowest:
            seen.slowest, seen.slowest_number, seen.slowest_size = taken, number, len(raw)
        if progress and seen.mutants % 1000 == 0:
            sys.stderr.write(f"\r{seen.mutants} of {mutants}, {len(seen.failed)} failed")
    return seen


def ways(seed: int, number: int) -> tuple[MimeProperties, ProcessingSection]:
    """How the mail of that number is read: every third by the defaults."""
    if number % 3 == 0:
        return MimeProperties(), ProcessingSection()
    chance = Random(f"{seed}:{number}:way")
    some = [chance.random() < 0.5 for _ in range(7)]
    reading = MimeProperties(
        charset=chance.choice(("", "koi8-r", "utf-16", "iso-2022-jp")),
        decodetext_strict=some[0],
        decodefilename=some[1],
        decodeparameters=some[2],
        multipart_ignoreexistingboundaryparameter=some[3],
        ignorewhitespacelines=some[4],
        allowencodedmessages=some[5],
    )
    return reading, ProcessingSection(enable_extract_uuencoded_file=some[6])


def storable(said: Facts) -> Facts:
    """*said*, if a store and a terminal can take it: no lone surrogates, no NUL, no line break in what is one line."""
    shown = asdict(said)
    shown["date"] = said.date.isoformat() if said.date else None
    text = json.dumps(shown, ensure_ascii=False)
    text.encode()
    assert "\\u0000" not in text.replace("\\\\", ""), "a NUL byte"
    lines = [said.subject, said.sender, said.sender_personal, *said.to, *said.cc, *(name for name, _ in said.headers)]
    lines += [value for _, value in said.headers] + [one.name for one in said.attachments]
    assert not any(set("\r\n") & set(line) for line in lines), "a line break"
    return said


def main() -> int:
    """Runs it and prints the figures; 1 if a mail failed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--mutants", type=int, default=100_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--first", type=int, default=0, help="the number of the first")
    options.add_argument("--only", type=int, help="write this one to standard output")
    given = options.parse_args()
    if given.only is not None:
        sys.stdout.buffer.write(mutant(given.seed, given.only))
        return 0
    begun = time.monotonic()
    seen = run(given.mutants, given.seed, first=given.first, progress=sys.stderr.isatty())
    for number, why in seen.failed[:SHOWN]:
        sys.stdout.write(f"--- mutant {number} of seed {given.seed}\n{why}\n")
    sys.stdout.write(
        f"seed {given.seed}: {seen.mutants} mutants, {seen.bytes / (1 << 20):.0f} MB, {time.monotonic() - begun:.0f} s;"
        f" {len(seen.failed)} failed, {seen.wrapped} wrapped;"
        f" slowest {seen.slowest:.2f} s of processor time (number {seen.slowest_number}, {seen.slowest_size} bytes)\n"
    )
    return 1 if seen.failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""How many mails a second are understood, beside what the standard library needs to parse them alone.

    python -m tests.benchmarks.understanding [--rounds 3] [--json FILE] [--profile KB]

*emaild* is all that becomes of bytes before the store is asked: facts, subtype, attached data and fingerprint. The
others are the library's `email.message_from_bytes` under its policies compat32 and default, which leave the texts
encoded and most of the header unread. The mails are those of the suite, by their size; time is the processor's.
"""

from __future__ import annotations

import argparse
import cProfile
import platform
import pstats
import time
from collections.abc import Callable, Sequence
from email import message_from_bytes, policy
from itertools import pairwise
from pathlib import Path

from emaild.mime.fingerprint import fingerprint_of
from emaild.mime.parts import opened
from emaild.mime.subtype import subtype
from emaild.mime.user_data import user_data
from emaild.mime.view import facts_of
from emaild.settings.processing import ProcessingSection
from tests.benchmarks import figures
from tests.benchmarks.corpus import corpus
from tests.benchmarks.figures import Figure, Table

SIZES = (2, 20, 200)  # KB
PLAIN = ProcessingSection()


def measure(rounds: int, *, quick: bool = False) -> list[Table]:
    """One table; *quick*: a glance at few mails."""
    mails, seconds = corpus(20 if quick else 400), 0.02 if quick else 1.0
    found = [figure for size in SIZES for figure in _figures(size, of_size(mails, size), rounds, seconds)]
    about = (
        "From the bytes of a mail to its facts, subtype, attached data and fingerprint, beside the standard library's"
        " parsers, which do not decode it; mails a second of one processor's time."
    )
    return [Table("Understanding a mail", about, tuple(found), programs=(f"Python {platform.python_version()}",))]


def main() -> None:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--json", type=Path, metavar="FILE", help="write the table there, too")
    arguments.add_argument("--profile", type=int, choices=SIZES, metavar="KB", help="where the time goes at a size")
    given = arguments.parse_args()
    if given.profile:
        profile(of_size(corpus(400), given.profile))
        return
    tables = measure(given.rounds)
    figures.show(tables)
    if given.json:
        figures.save(tables, given.json)


def understood(raw: bytes) -> object:
    mail = opened(raw)
    said = facts_of(mail)
    data = user_data(said, mailbox="desk@shop.example", processing=PLAIN)
    return subtype(said, PLAIN, lambda name: False), data, fingerprint_of(mail)


def compat32(raw: bytes) -> object:
    return message_from_bytes(raw, policy=policy.compat32)


def default(raw: bytes) -> object:
    return message_from_bytes(raw, policy=policy.default)


WAYS: dict[str, Callable[[bytes], object]] = {
    "emaild": understood,
    "parser alone, compat32": compat32,
    "parser alone, default": default,
}


def _figures(size: int, mails: Sequence[bytes], rounds: int, seconds: float) -> list[Figure]:
    """Those of one size; the ways take turns in each round."""
    each = [[rate(work, mails, seconds) for work in WAYS.values()] for _ in range(rounds)]
    columns = zip(WAYS, zip(*each, strict=True), strict=True)
    ours, *bare = (figures.median(f"{name}, {size} KB", "mails/s", column) for name, column in columns)
    return [figures.beside(ours, bare[0]), *bare]


def rate(work: Callable[[bytes], object], mails: Sequence[bytes], seconds: float) -> float:
    """Mails a second; whole rounds over the mails."""
    done, begun = 0, time.process_time()
    while (spent := time.process_time() - begun) < seconds:
        for raw in mails:
            work(raw)
        done += len(mails)
    return done / spent


def of_size(mails: Sequence[bytes], size: int) -> list[bytes]:
    """Those of them that have about *size* KB."""
    least, most = next((low, high) for low, high in pairwise((0, 5, 50, 500)) if low <= size < high)
    return [raw for raw in mails if least * 1000 <= len(raw) < most * 1000]


def profile(mails: Sequence[bytes]) -> None:
    """Print where the time goes."""
    profiler = cProfile.Profile()
    for raw in mails:
        profiler.runcall(understood, raw)
    pstats.Stats(profiler).sort_stats("tottime").print_stats(30)


if __name__ == "__main__":
    main()

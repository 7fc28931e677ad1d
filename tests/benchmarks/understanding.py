"""How many mails a second are parsed and classified, beside what the standard library needs to parse them alone.

    python -m tests.benchmarks.understanding [--rounds 3] [--seconds 1] [--profile KIB]

*understood* is all that makes attached data of bytes: facts, subtype, user data. *compat32* and *default* are the
library's `email.message_from_bytes` under these policies, which leaves the texts encoded and the header unread. The
mails are the same in every run: a hundred of each size, so that none is measured twice in a row.
"""

from __future__ import annotations

import argparse
import base64
import cProfile
import pstats
import random
import statistics
import time
from collections.abc import Callable, Sequence
from email import message_from_bytes, policy

from emaild.mime.subtype import subtype
from emaild.mime.user_data import user_data
from emaild.mime.view import facts
from emaild.settings.processing import ProcessingSection

SIZES = (2, 20, 200)  # KiB
MAILS = 100  # of each size
SEED = 20250501
TEXT = (
    "the order that we placed on Monday has not come yet could you please tell me where it is and when it will be"
    " delivered thank you for your help with kind regards über naïve façade größer 日本 Ελλάδα"
)
PLAIN = ProcessingSection()


def main() -> None:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--seconds", type=float, default=1.0, help="how long each figure is measured in a round")
    arguments.add_argument("--profile", type=int, choices=SIZES, metavar="KIB", help="where the time goes at a size")
    given = arguments.parse_args()
    if given.profile:
        profile(mails_of(given.profile))
        return
    print(
        f"{'mails a second':16}{'understood':>12}{'compat32':>12}{'default':>12}{'to compat32':>14}{'to default':>14}"
    )
    for size in SIZES:
        mails = mails_of(size)
        found = [
            [rate(work, mails, given.seconds) for work in (understood, compat32, default)] for _ in range(given.rounds)
        ]
        ours, bare, modern = (statistics.median(column) for column in zip(*found, strict=True))
        rates = f"{ours:>12.0f}{bare:>12.0f}{modern:>12.0f}"
        print(f"{size:>12} KiB{rates}{bare / ours:>13.2f}x{modern / ours:>13.2f}x")


def understood(raw: bytes) -> object:
    said = facts(raw)
    return subtype(said, PLAIN, lambda name: False), user_data(said, mailbox="desk@shop.example", processing=PLAIN)


def compat32(raw: bytes) -> object:
    return message_from_bytes(raw, policy=policy.compat32)


def default(raw: bytes) -> object:
    return message_from_bytes(raw, policy=policy.default)


def rate(work: Callable[[bytes], object], mails: Sequence[bytes], seconds: float) -> float:
    """Mails a second; whole rounds over the mails."""
    done, begun = 0, time.perf_counter()
    while (spent := time.perf_counter() - begun) < seconds:
        for raw in mails:
            work(raw)
        done += len(mails)
    return done / spent


def profile(mails: Sequence[bytes]) -> None:
    """Print where the time goes."""
    profiler = cProfile.Profile()
    for raw in mails:
        profiler.runcall(understood, raw)
    pstats.Stats(profiler).sort_stats("tottime").print_stats(30)


def mails_of(size: int) -> list[bytes]:
    """Mails of about *size* KiB: a plain text at 2; both forms of a text, and a file, above."""
    chance = random.Random(SEED + size)
    return [_mail(chance, number, size << 10) for number in range(MAILS)]


def _mail(chance: random.Random, number: int, size: int) -> bytes:
    header = _header(chance, number)
    if size <= 2 << 10:
        body = _text(chance, size - len(header) - 100)
        return f"{header}Content-Type: text/plain; charset=utf-8\r\n\r\n{body}".encode()
    words = min(size // 4, 10_000)
    plain = _text(chance, words)
    html = "<html><body>" + "".join(f"<p>{line}<br></p>\r\n" for line in plain.split("\r\n")) + "</body></html>\r\n"
    file = base64.encodebytes(chance.randbytes(int((size - 2.5 * words - len(header)) / 1.37))).decode("ascii")
    parts = _multipart(
        "mixed",
        _multipart(
            "alternative",
            f"Content-Type: text/plain; charset=utf-8\r\n\r\n{plain}",
            f"Content-Type: text/html; charset=utf-8\r\n\r\n{html}",
        ),
        'Content-Type: application/pdf; name="bill.pdf"\r\nContent-Transfer-Encoding: base64\r\n'
        f'Content-Disposition: attachment; filename="bill.pdf"\r\n\r\n{file.replace(chr(10), chr(13) + chr(10))}',
    )
    return (header + parts).encode()


def _header(chance: random.Random, number: int) -> str:
    hops = "".join(
        f"Received: from mx{hop}.home.example (mx{hop}.home.example [192.0.2.{hop}])\r\n\tby mx{hop + 1}.home.example"
        f" (Postfix) with ESMTPS id {chance.randbytes(5).hex()}\r\n\tfor <desk@shop.example>;"
        f" Thu, 1 May 2025 10:00:0{hop} +0000 (UTC)\r\n"
        for hop in range(3)
    )
    return (
        f"Return-Path: <ann{number}@home.example>\r\n{hops}"
        f"From: =?utf-8?q?Ann_Gr=C3=BCn?= <ann{number}@home.example>\r\n"
        "To: Desk <desk@shop.example>, Bob <bob@shop.example>\r\n"
        f"Subject: Re: =?utf-8?q?Gr=C3=BC=C3=9Fe?= number {number}\r\n"
        f"Date: Thu, 1 May 2025 12:00:00 +0200\r\nMessage-ID: <{chance.randbytes(8).hex()}@home.example>\r\n"
        f"In-Reply-To: <{number}.1@shop.example>\r\nReferences: <{number}.0@shop.example>\r\n"
        f" <{number}.1@shop.example>\r\nX-Mailer: Mailer 1.0\r\nMIME-Version: 1.0\r\n"
    )


def _multipart(kind: str, *parts: str) -> str:
    boundary = f"=_{kind}_7f3a"
    inside = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts)
    return f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n{inside}--{boundary}--\r\n'


def _text(chance: random.Random, size: int) -> str:
    lines = []
    while size > 0:
        lines.append(" ".join(chance.choices(TEXT.split(), k=12)))
        size -= len(lines[-1].encode()) + 2
    return "\r\n".join(lines)


if __name__ == "__main__":
    main()

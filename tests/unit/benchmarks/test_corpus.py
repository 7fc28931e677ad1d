"""The mails that all benchmarks read."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.benchmarks.corpus import BLOCK, corpus

TOP = Path(__file__).parents[3]
MAILS = corpus()
DIGEST = "65adf1cb9751801084c7ea101bb1be70db6a5bdca6b0d27ffd7af2ea25d4150d"
CLASSES = Counter({2: 1400, 20: 500, 200: 100})


def parsed(mails: list[bytes]) -> list[EmailMessage]:
    return [message_from_bytes(raw, policy=policy.default) for raw in mails]


def class_of(raw: bytes) -> int:
    """The size that it is meant to have, in KB."""
    return min(CLASSES, key=lambda size: abs(size * 1000 - len(raw)))


def test_the_corpus_is_the_same_in_every_process() -> None:
    script = "import hashlib; from tests.benchmarks.corpus import corpus; print(hashlib.sha256(b''.join(corpus()))"
    around = {**os.environ, "PYTHONHASHSEED": "77", "LC_ALL": "C", "TZ": "Asia/Tokyo"}
    command = [sys.executable, "-c", f"{script}.hexdigest())"]
    elsewhere = subprocess.run(command, cwd=TOP, env=around, capture_output=True, text=True, timeout=60, check=True)
    assert elsewhere.stdout.strip() == hashlib.sha256(b"".join(MAILS)).hexdigest() == DIGEST


def test_fewer_mails_are_the_first_of_them() -> None:
    assert corpus(100) == MAILS[:100]


def test_the_mix_is_the_stated_one_in_every_part_of_it() -> None:
    assert Counter(map(class_of, MAILS)) == CLASSES
    for first in range(0, len(MAILS), BLOCK):
        assert Counter(map(class_of, MAILS[first : first + BLOCK])) == {2: 14, 20: 5, 200: 1}
    assert all(abs(len(raw) / (class_of(raw) * 1000) - 1) < 0.25 for raw in MAILS)
    assert len({tuple(map(class_of, MAILS[first : first + BLOCK])) for first in range(0, len(MAILS), BLOCK)}) > 90


def test_the_mix_needs_whole_blocks() -> None:
    with pytest.raises(ValueError, match="a multiple of 20"):
        corpus(50)


def test_the_mails_are_valid() -> None:
    some = parsed(MAILS[:400])
    assert not [part for mail in some for part in mail.walk() if part.defects]
    assert all(part.get_content() for mail in some for part in mail.walk() if part.get_content_maintype() == "text")
    assert all(raw.count(b"\n") == raw.count(b"\r\n") == raw.count(b"\r") for raw in MAILS)
    assert max(len(line) for raw in MAILS for line in raw.split(b"\r\n")) <= 998  # RFC 5322 §2.1.1


def test_the_mails_differ_as_those_of_a_desk_do() -> None:
    some = parsed(MAILS[:400])
    parts = [part for mail in some for part in mail.walk() if part.get_content_maintype() == "text"]
    assert {part.get_content_charset() for part in parts} >= {
        "us-ascii",
        "utf-8",
        "iso-8859-1",
        "koi8-r",
        "iso-2022-jp",
    }
    assert {part["Content-Transfer-Encoding"] for part in parts} == {"7bit", "8bit", "quoted-printable", "base64"}
    assert len({str(mail["From"]) for mail in some}) > 200
    assert len({str(mail["Subject"]) for mail in some}) > 200
    assert all(mail.is_multipart() for mail, raw in zip(some, MAILS, strict=False) if class_of(raw) > 2)
    assert all(any(mail.iter_attachments()) for mail, raw in zip(some, MAILS, strict=False) if class_of(raw) == 200)


def test_message_ids_are_unique_and_answers_name_earlier_mails() -> None:
    earlier: set[str] = set()
    answers = 0
    for mail in parsed(MAILS[:400]):
        answered = mail["In-Reply-To"]
        if answered:
            answers += 1
            assert {*str(mail["References"]).split()} <= earlier
            assert answered in earlier
        assert mail["Message-ID"] not in earlier
        earlier.add(str(mail["Message-ID"]))
    assert 0.3 < answers / 400 < 0.5

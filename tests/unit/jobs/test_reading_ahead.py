"""Mails that another process reads while those before them are stored."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from emaild.errors import Unreachable
from emaild.jobs.reading import IDLE, NOTHING, REST, START, ReadAhead, Reader, Readers
from emaild.message import Inbound
from emaild.mime.reader import build
from emaild.mime.said import Options, said_by
from emaild.settings.processing import ProcessingSection
from emaild.settings.properties import MimeProperties
from emaild.sources import BATCH_BYTES
from tests.benchmarks.corpus import corpus
from tests.clock import ManualClock
from tests.said import Said
from tests.servers.processes import is_running
from tests.servers.wait import eventually

OPTIONS = Options(MimeProperties(), ProcessingSection())
MAILS = [Inbound(key=str(number), raw=raw) for number, raw in enumerate(corpus(40))]
FIRST, SECOND = MAILS[:20], MAILS[20:]


@pytest.fixture
def reader(clock: ManualClock) -> Iterator[Reader]:
    """One that is ready."""
    made = Reader(clock)
    begun(made, MAILS[:1])
    made.end()
    yield made
    made.close()


def begun(reader: Reader, mails: list[Inbound]) -> None:
    """Have these read, as soon as the process is there."""
    eventually(lambda: reader.begin(mails, OPTIONS), within=30)


def process_of(reader: Reader) -> int:
    assert reader.process is not None
    return reader.process


def test_what_it_reads_is_what_is_read_here(reader: Reader) -> None:
    assert reader.begin(MAILS, OPTIONS)
    assert reader.end() == ReadAhead(OPTIONS, {mail.key: (mail.raw, said_by(mail.raw, OPTIONS)) for mail in MAILS})
    assert reader.end() == NOTHING


def test_options_count(reader: Reader) -> None:
    raw = b"Subject: x\r\n\r\nbegin 644 a.bin\r\n#8VAE\r\n`\r\nend\r\n"
    for processing in (ProcessingSection(enable_extract_uuencoded_file=which) for which in (True, False)):
        options = Options(MimeProperties(), processing)
        assert reader.begin([Inbound(key="1", raw=raw)], options)
        assert reader.end() == ReadAhead(options, {"1": (raw, said_by(raw, options))})


def test_first_mails_are_not_waited_with_until_it_is_ready(clock: ManualClock) -> None:
    reader = Reader(clock)
    assert not reader.begin(FIRST, OPTIONS)
    assert reader.end() == NOTHING
    reader.close()


def test_mails_that_were_cut_since_or_are_read_by_other_options_now_are_read_again(reader: Reader) -> None:
    assert reader.begin(FIRST, OPTIONS)
    ahead, mail = reader.end(), FIRST[0]
    assert ahead.of(mail, OPTIONS) == said_by(mail.raw, OPTIONS)
    assert ahead.of(replace(mail, raw=mail.raw[:100]), OPTIONS) is None
    assert ahead.of(mail, Options(MimeProperties(), ProcessingSection(enable_extract_uuencoded_file=True))) is None
    assert ahead.of(SECOND[0], OPTIONS) is None


def test_large_mails_are_left_to_the_daemon_so_that_they_are_in_memory_once(reader: Reader) -> None:
    large = [Inbound(key="1", raw=b"\r\n" + b"x" * BATCH_BYTES)]
    assert not reader.begin(large, OPTIONS)
    assert reader.begin(FIRST, OPTIONS)


def test_mail_on_which_our_code_fails_is_left_to_the_daemon(
    clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import emaild.mime.said as said\n"
        "read = said.opened\n"
        "said.opened = lambda raw, *others: 1 / 0 if b'Subject: bad' in raw else read(raw, *others)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    reader = Reader(clock)
    begun(reader, [Inbound(key="bad", raw=b"Subject: bad\r\n\r\n"), *FIRST])
    assert set(reader.end().said) == {mail.key for mail in FIRST}
    reader.close()


def test_modules_are_the_daemons_and_none_of_the_working_directory(
    clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pickle.py").write_text("raise SystemExit('no module of ours')")
    (tmp_path / "emaild").mkdir()
    monkeypatch.chdir(tmp_path)
    reader = Reader(clock)
    begun(reader, FIRST)
    assert set(reader.end().said) == {mail.key for mail in FIRST}
    reader.close()


@pytest.mark.parametrize("when", ["before", "between"])
def test_process_that_is_killed_is_told_of_and_replaced_after_a_while(
    reader: Reader, clock: ManualClock, said: Said, when: str
) -> None:
    process = process_of(reader)
    if when == "before":
        os.kill(process, signal.SIGSTOP)
        assert reader.begin(FIRST, OPTIONS)
    os.kill(process, signal.SIGKILL)
    if when == "between":
        os.waitpid(process, os.WNOHANG)
        eventually(lambda: not _begins(reader), within=10)
    assert reader.end() == NOTHING
    assert not is_running(process)
    (told,) = said.all("reader.failed")
    assert told["reason"] in ("it has ended", "[Errno 32] Broken pipe", "[Errno 104] Connection reset by peer")
    assert not reader.begin(FIRST, OPTIONS)
    assert reader.process is None
    clock.advance(REST)
    begun(reader, FIRST)
    assert set(reader.end().said) == {mail.key for mail in FIRST}


def _begins(reader: Reader) -> bool:
    if reader.begin(FIRST, OPTIONS):
        reader.end()
        return True
    return False


def test_process_that_hangs_is_waited_for_no_longer_than_the_patience(reader: Reader, said: Said) -> None:
    process = process_of(reader)
    os.kill(process, signal.SIGSTOP)
    assert reader.begin(FIRST, OPTIONS)
    reader.patience = 0.1
    assert reader.end() == NOTHING
    assert [told["reason"] for told in said.all("reader.failed")] == ["timed out"]
    assert not is_running(process)


def test_process_of_another_build_is_not_used(clock: ManualClock, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emaild.mime.reader.READY", b"ready 0\n")
    reader = Reader(clock)
    eventually(lambda: not reader.begin(FIRST, OPTIONS) and reader.process is None, within=30)
    assert ["another emaild" in told["reason"] for told in said.all("reader.failed")] == [True]


def test_build_changes_with_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = tmp_path / "message.py"
    module.write_text("a = 1\n")
    monkeypatch.setattr("emaild.__file__", str(tmp_path / "__init__.py"))
    before = build()
    assert build() == before
    module.write_text("b = 12\n")
    assert build() != before


def test_process_that_does_not_start_is_given_up(clock: ManualClock, said: Said) -> None:
    reader = Reader(clock)
    assert not reader.begin(FIRST, OPTIONS)
    process = process_of(reader)
    os.kill(process, signal.SIGSTOP)
    clock.advance(START)
    assert not reader.begin(FIRST, OPTIONS)
    assert [told["reason"] for told in said.all("reader.failed")] == ["it does not start"]
    assert not is_running(process)


@pytest.mark.parametrize("left", range(5))
def test_where_there_are_no_more_descriptors_none_is_lost(clock: ManualClock, said: Said, left: int) -> None:
    reader, before = Reader(clock), len(os.listdir("/proc/self/fd"))
    lowest_free = os.dup(0)
    os.close(lowest_free)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free + left, hard))
    try:
        assert not reader.begin(FIRST, OPTIONS)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert "Too many open files" in said.one("reader.failed")["reason"]
    assert len(os.listdir("/proc/self/fd")) == before


def test_process_without_mails_is_ended_after_a_while(reader: Reader, clock: ManualClock) -> None:
    process = process_of(reader)
    clock.advance(IDLE - 1)
    reader.rest()
    assert is_running(process)
    clock.advance(1)
    reader.rest()
    assert not is_running(process)
    assert reader.process is None
    begun(reader, FIRST)
    assert set(reader.end().said) == {mail.key for mail in FIRST}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_that_end_the_daemon_leave_the_end_of_the_process_to_it(reader: Reader, number: signal.Signals) -> None:
    os.kill(process_of(reader), number)
    assert reader.begin(FIRST, OPTIONS)
    assert set(reader.end().said) == {mail.key for mail in FIRST}


def test_process_ends_with_the_daemon_however_that_ends() -> None:
    script = """
import os, time
from tests.unit.jobs.test_reading_ahead import FIRST, begun
from emaild.jobs.reading import Reader
from tests.clock import ManualClock
reader = Reader(ManualClock())
begun(reader, FIRST)
print(reader.process, flush=True)
os.kill(os.getpid(), 9)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    eventually(lambda: not is_running(int(done.stdout.split()[-1])), within=10)


def test_process_that_hangs_does_not_outlive_its_patience_though_the_daemon_is_gone(tmp_path: Path) -> None:
    hanging = """
import sys
import emaild.mime.said as said
if "emaild.mime.reader" in sys.orig_argv:
    said.opened = lambda *given: [None for _ in iter(int, 1)]
"""
    (tmp_path / "sitecustomize.py").write_text(hanging)
    script = """
import os
from tests.unit.jobs.test_reading_ahead import FIRST, begun
from emaild.jobs.reading import Reader
from tests.clock import ManualClock
reader = Reader(ManualClock(), patience=0.5)
begun(reader, FIRST)
print(reader.process, flush=True)
os.kill(os.getpid(), 9)
"""
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    process = int(done.stdout.split()[-1])
    eventually(lambda: not is_running(process), within=10)


# Batches


def taken(readers: Readers, *batches: list[Inbound]) -> list[tuple[list[str], set[str]]]:
    """The keys of each batch that came, and of what was read of it before."""
    given = readers.ahead(iter(batches), lambda: OPTIONS)
    return [([mail.key for mail in batch], set(read.said)) for batch, read in given]


@pytest.fixture
def make(clock: ManualClock) -> Iterator[Callable[..., Readers]]:
    """Makes readers of which the process is there."""
    made: list[Readers] = []

    def make(allowed: Callable[[], bool] = lambda: True) -> Readers:
        readers = Readers(clock, allowed)
        made.append(readers)
        if allowed():
            eventually(lambda: taken(readers, FIRST)[0][1], within=30)
        return readers

    yield make
    for one in made:
        one.close()


def test_each_batch_comes_once_in_order_with_all_of_it_read(make: Callable[..., Readers]) -> None:
    batches = [MAILS[at : at + 10] for at in range(0, 40, 10)]
    keys = [[mail.key for mail in batch] for batch in batches]
    assert taken(make(), *batches) == [(one, set(one)) for one in keys]


def test_a_batch_is_read_while_the_one_before_is_with_the_caller(make: Callable[..., Readers]) -> None:
    asked: list[str] = []

    def batches() -> Iterator[list[Inbound]]:
        for name, batch in (("first", FIRST), ("second", SECOND)):
            asked.append(name)
            yield batch

    given = make().ahead(batches(), lambda: OPTIONS)
    assert next(given)[0] == FIRST
    assert asked == ["first", "second"]
    assert [batch for batch, _ in given] == [SECOND]


def test_what_came_before_the_connection_broke_is_given_first(make: Callable[..., Readers]) -> None:
    def batches() -> Iterator[list[Inbound]]:
        yield FIRST
        yield SECOND
        raise Unreachable("mail.example.com", "fetch", "the connection broke")

    given = make().ahead(batches(), lambda: OPTIONS)
    assert [next(given)[0], next(given)[0]] == [FIRST, SECOND]
    with pytest.raises(Unreachable, match="the connection broke"):
        next(given)


def test_batches_that_nobody_takes_any_more_cost_the_next_nothing(said: Said, make: Callable[..., Readers]) -> None:
    readers = make()
    given = readers.ahead(iter([FIRST, SECOND]), lambda: OPTIONS)
    next(given)
    process = said.one("reader.started")["process"]
    os.kill(process, signal.SIGSTOP)
    given.close()  # type: ignore[attr-defined]
    assert not is_running(process)
    assert taken(readers, FIRST, SECOND) == [([mail.key for mail in batch], set()) for batch in (FIRST, SECOND)]


def test_large_batches_are_given_at_once_so_that_two_are_never_there(make: Callable[..., Readers]) -> None:
    large = [Inbound(key="large", raw=b"\r\n" + b"x" * BATCH_BYTES)]
    asked: list[int] = []

    def batches() -> Iterator[list[Inbound]]:
        for number in range(3):
            asked.append(number)
            yield large

    given = make().ahead(batches(), lambda: OPTIONS)
    for number in range(3):
        assert next(given) == (large, NOTHING)
        assert asked == list(range(number + 1))


def test_two_mailboxes_at_once_share_no_reader(make: Callable[..., Readers]) -> None:
    readers = make()
    first = readers.ahead(iter([FIRST, SECOND]), lambda: OPTIONS)
    next(first)
    assert taken(readers, FIRST) == [([mail.key for mail in FIRST], set())]
    first.close()  # type: ignore[attr-defined]
    eventually(
        lambda: taken(readers, FIRST) == [([mail.key for mail in FIRST], {mail.key for mail in FIRST})], within=30
    )


def test_nothing_is_read_elsewhere_where_that_is_not_allowed(make: Callable[..., Readers]) -> None:
    assert taken(make(lambda: False), FIRST) == [([mail.key for mail in FIRST], set())]

"""`emaild add` told something that cannot be: one line says which flag it is, and nothing is written."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.daemon.adding import CLOSED, AtTerminal, files
from tests.daemon.harness import Emaild

FLAGS = ("--type", "imap", "--server", "localhost", "--port", str(CLOSED), "--no-smtp", "--no-check")


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Emaild]:
    with Emaild(tmp_path) as made:
        made.configure()
        yield made


@pytest.mark.parametrize(
    ("flag", "option", "right"),
    [
        ("--option", "password=hunter2", "--password-file"),
        ("--option", "PASS_WORD=hunter2", "--password-file"),
        ("--option", "server=hunter2", "--server says it"),
        ("--option", "popConnectionSecurity=hunter2", "--security says it"),
        ("--option", "mailbox=hunter2", "--user says it"),
        ("--option", "secret=hunter2", "--client-secret-file says it"),
        ("--option", "client-key-password=hunter2", "file:PATH"),
        ("--option", "mail.imap.proxy.password=hunter2", "file:PATH"),
        ("--option", "mail.imap.password=hunter2", "file:PATH"),
        ("--smtp-option", "password=hunter2", "--password-file"),
        ("--smtp-option", "user=hunter2", "--smtp-user says it"),
        ("--smtp-option", "dkim-key=hunter2", "file:PATH"),
    ],
)
def test_an_option_that_is_a_secret_or_has_a_flag_is_refused(
    daemon: Emaild, flag: str, option: str, right: str
) -> None:
    done = daemon.command("add", "ann@example.com", *FLAGS, "--dry-run", flag, option)
    assert (done.returncode, done.stdout) == (os.EX_USAGE, "")
    assert f"argument {flag}: {option.partition('=')[0]}: " in done.stderr
    assert right in done.stderr
    assert "hunter2" not in done.stderr


def test_an_option_may_name_the_file_of_a_secret(daemon: Emaild) -> None:
    option = f"client-key-password=file:{daemon.conf}"
    done = daemon.command("add", "ann@example.com", *FLAGS, "--dry-run", "--option", option)
    assert done.returncode == 0, done.stderr
    assert f"client-key-password = file:{daemon.conf}\n" in done.stdout


@pytest.mark.parametrize(
    ("flags", "wrong"),
    [
        (["--server", "bad host"], "argument --server: expected a host name"),
        (["--smtp-server", "bad host"], "argument --smtp-server: expected a host name"),
        (["--ca-file", "/nonexist"], "argument --ca-file: /nonexist: no such file"),
        (["--ca-file", "/etc"], "argument --ca-file: /etc: it is a folder"),
        (["--section", "x" * 300], "at most 64"),
    ],
)
def test_a_wrong_value_is_told_with_its_flag(daemon: Emaild, flags: list[str], wrong: str) -> None:
    done = daemon.command("add", "ann@example.com", *FLAGS, "--dry-run", *flags)
    assert (done.returncode, done.stdout) == (os.EX_USAGE, "")
    assert wrong in done.stderr


@pytest.mark.parametrize("address", ['"odd bob"@example.com', "ann@bad host", "ann@"])
def test_a_wrong_address_is_told_as_that(daemon: Emaild, address: str) -> None:
    done = daemon.command("add", address, *FLAGS, "--dry-run")
    assert (done.returncode, "expected an address" in done.stderr) == (os.EX_USAGE, True), done.stderr


@pytest.mark.parametrize(
    ("held", "wrong"),
    [
        (b"", "it is empty"),
        (b"\n", "it is empty"),
        (b"\xef\xbb\xbf", "it is empty"),
        (b"one\ntwo\n", "several lines"),
        (b"one\0two", "NUL"),
        (b"x" * 5000, "at most 4096"),
    ],
)
def test_what_is_wrong_with_a_file_of_a_password_is_told(daemon: Emaild, held: bytes, wrong: str) -> None:
    path = daemon.home / "given"
    path.write_bytes(held)
    done = daemon.command("add", "ann@example.com", *FLAGS, "--password-file", str(path))
    assert done.returncode == os.EX_USAGE
    assert "--password-file: " in done.stderr
    assert wrong in done.stderr
    assert files(daemon) == {}


def test_a_mark_before_a_password_is_not_part_of_it(daemon: Emaild) -> None:
    path = daemon.home / "given"
    path.write_bytes(b"\xef\xbb\xbfs\xc3\xa4cret\r\n")
    assert daemon.command("add", "ann@example.com", *FLAGS, "--password-file", str(path)).returncode == 0
    assert files(daemon)["pop-client-ann.password"] == "säcret".encode()


@pytest.mark.parametrize("made", [lambda path: path.write_text(""), lambda path: path.symlink_to("nowhere")])
def test_a_folder_of_conf_files_that_is_none_is_told_without_advice(
    daemon: Emaild, made: Callable[[Path], object]
) -> None:
    made(daemon.home / "conf.d")
    done = daemon.command("add", "ann@example.com", *FLAGS, "--password-stdin", given=b"secret")
    assert done.returncode == os.EX_NOINPUT
    assert done.stderr.startswith(f"emaild: {daemon.home}/conf.d: ")
    assert done.stderr.endswith("; nothing was changed\n")


def test_an_address_that_is_set_up_is_told_with_no_other_sign_in_where_one_was_given(daemon: Emaild) -> None:
    added = daemon.command("add", "ann@example.com", *FLAGS, "--password-stdin", given=b"secret")
    assert added.returncode == 0, added.stderr
    for flags, turns in (((), True), (("--password-stdin",), False)):
        done = daemon.command("add", "ann@example.com", *FLAGS, *flags, given=b"secret")
        assert (done.returncode, "--oauth turns it" in done.stderr) == (os.EX_DATAERR, turns)


def test_whoever_leaves_at_the_password_is_told_that_nothing_was_changed(daemon: Emaild) -> None:
    with AtTerminal(daemon, "add", "ann@example.com", *FLAGS) as person:
        person.asked("Password of ann@example.com: ")
        person.interrupt()
        assert person.end() == (128 + signal.SIGINT, "\nemaild: nothing was changed\n")
    with AtTerminal(daemon, "add", "ann@example.com", *FLAGS) as person:
        person.asked("Password of ann@example.com: ")
        person.press(b"\x04")
        code, shown = person.end()
    assert (code, "nothing was said, so nothing was changed" in shown) == (os.EX_USAGE, True), shown


def test_an_answer_that_does_not_fit_is_told_so(daemon: Emaild) -> None:
    with AtTerminal(daemon, "add", "ann@example.com", *FLAGS[2:]) as person:
        person.asked(r"How is it read .*: ")
        person.type("carrier pigeon")
        person.asked(r"expected one of POP3, IMAP, EWS, GRAPH\nHow is it read .*: ")

"""`emaild add`: from an address to a mailbox that the running daemon reads; nothing is written that does not work."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.adapters.turns import mail
from tests.daemon.adding import CLOSED, AtTerminal, files, imap_flags, secret_file, smtp_flags
from tests.daemon.harness import Emaild, imap_section
from tests.servers.authority import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.faulty_smtp import FaultySmtp

Smtp = Callable[..., FaultySmtp]


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Emaild]:
    with Emaild(tmp_path) as made:
        made.configure()
        yield made


@pytest.fixture
def smtp(faulty_smtp: Smtp, authority: Authority) -> Callable[[str], FaultySmtp]:
    return lambda user: faulty_smtp(authority=authority, tls="starttls", user=user)


def test_an_address_becomes_a_mailbox_that_the_running_daemon_reads(
    daemon: Emaild, dovecot: Dovecot, authority: Authority, smtp: Callable[[str], FaultySmtp]
) -> None:
    user = "added-runs@example.com"
    way = smtp(user)
    daemon.start()
    flags = [*imap_flags(dovecot.imaps, authority), *smtp_flags(way.smtp), "--option", "first-fetch=all"]
    dovecot.drop(user, [mail("one")])
    done = daemon.command("add", user, *flags, "--password-file", str(secret_file(daemon)))
    assert (done.returncode, done.stderr) == (0, "")
    assert "[pop-client-added-runs]" in done.stdout
    assert "TLSv1" in done.stdout, "the doctor's steps are shown"
    assert done.stdout.endswith("the daemon reads [pop-client-added-runs]\n")
    daemon.wait_for("interaction.created", section="pop-client-added-runs")
    assert daemon.command("send", "--from", user, "--to", "x@example.com", "--text", "t").returncode == 0
    daemon.wait_for("outbound.sent", section="smtp-client-added-runs")
    assert [one.sender for one in way.mails] == [user]
    assert sorted(files(daemon)) == ["pop-client-added-runs.conf", "pop-client-added-runs.password"]
    assert daemon.stop() == 0
    assert not [line for line in daemon.log_file.read_text().splitlines() if '"error"' in line]


def test_what_is_written_is_small_commented_and_for_the_daemon_alone(
    daemon: Emaild, dovecot: Dovecot, authority: Authority, smtp: Callable[[str], FaultySmtp]
) -> None:
    user, way = "added-file@example.com", smtp("added-file@example.com")
    flags = [*imap_flags(dovecot.imaps, authority), *smtp_flags(way.smtp)]
    done = daemon.command("add", user, *flags, "--password-file", str(secret_file(daemon)))
    assert done.returncode == 0, done.stderr
    assert "no daemon runs" in done.stdout
    folder = daemon.home / "conf.d"
    password = folder / "pop-client-added-file.password"
    assert files(daemon)["pop-client-added-file.conf"].decode() == (
        f"# {user}, set up by emaild add.\n"
        "# What is changed here counts at once; emaild remove pop-client-added-file takes it all out again.\n"
        "\n"
        "[pop-client-added-file]\n"
        "type = IMAP\n"
        "server = localhost\n"
        f"port = {dovecot.imaps}\n"
        "pop-connection-security = ssl-tls\n"
        f"ca-file = {authority.ca_file}\n"
        f"mailbox = {user}\n"
        f"password = file:{password}\n"
        "\n"
        f"# Mail from {user} goes out by this.\n"
        "[smtp-client-added-file]\n"
        "server = localhost\n"
        f"port = {way.smtp}\n"
        "smtp-connection-security = start-tls\n"
        f"ca-file = {authority.ca_file}\n"
        "enable-authentication = true\n"
        f"user = {user}\n"
        f"password = file:{password}\n"
        f"senders = {user}\n"
    )
    assert password.read_bytes() == b"secret"
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}, "as the conf file"
    assert daemon.command("check").stdout.endswith("good (1 mailbox, 1 way out, 0 warnings)\n")


def test_what_does_not_work_is_not_written_unless_it_shall_be_anyway(
    daemon: Emaild, dovecot: Dovecot, authority: Authority
) -> None:
    user = "refused-added@example.com"
    flags = [*imap_flags(dovecot.imaps, authority), "--no-smtp", "--password-file", str(secret_file(daemon))]
    done = daemon.command("add", user, *flags)
    assert done.returncode == os.EX_UNAVAILABLE
    assert "failed" in done.stdout
    assert "Cause:" in done.stdout
    assert "so nothing was written" in done.stderr
    assert files(daemon) == {}
    assert not (daemon.home / "conf.d").exists()
    assert daemon.command("add", user, *flags, "--anyway").returncode == 0
    assert sorted(files(daemon)) == ["pop-client-refused-added.conf", "pop-client-refused-added.password"]


def test_a_server_that_is_not_there_may_come_later_and_nothing_is_written(daemon: Emaild, authority: Authority) -> None:
    flags = [*imap_flags(CLOSED, authority), "--no-smtp", "--password-file", str(secret_file(daemon))]
    done = daemon.command("add", "ann@example.com", *flags)
    assert (done.returncode, files(daemon)) == (os.EX_TEMPFAIL, {})
    assert daemon.command("add", "ann@example.com", *flags, "--no-check").returncode == 0
    assert len(files(daemon)) == 2


def test_pop3_with_the_password_on_standard_input(daemon: Emaild, dovecot: Dovecot, authority: Authority) -> None:
    flags = ["--type", "pop3", "--server", "localhost", "--port", str(dovecot.pop3s), "--no-smtp"]
    flags += ["--ca-file", str(authority.ca_file), "--user", "added-pop3", "--password-stdin", "--section", "shop"]
    done = daemon.command("add", "shop@example.com", *flags, given=b"secret\n")
    assert done.returncode == 0, done.stderr
    text = files(daemon)["pop-client-shop.conf"].decode()
    assert "mailbox = added-pop3\naddress = shop@example.com\n" in text
    assert "smtp-client" not in text


def test_an_address_that_is_set_up_is_told_and_not_doubled(daemon: Emaild, authority: Authority) -> None:
    daemon.configure(imap_section("pop-client-ann", CLOSED, "ann", authority, address="Ann@example.com"))
    flags = [*imap_flags(CLOSED, authority), "--no-smtp", "--no-check", "--password-stdin"]
    for address in ("ann@example.com", "ANN@EXAMPLE.COM"):
        done = daemon.command("add", address, *flags, given=b"secret")
        assert done.returncode == os.EX_DATAERR
        assert "[pop-client-ann] reads that mailbox already" in done.stderr
        assert f"{daemon.conf}:" in done.stderr
    assert files(daemon) == {}


def test_nothing_is_ever_overwritten(daemon: Emaild, authority: Authority) -> None:
    flags = [*imap_flags(CLOSED, authority), "--no-smtp", "--no-check", "--password-stdin"]
    (daemon.home / "conf.d").mkdir()
    (daemon.home / "conf.d/pop-client-ann.conf").write_text("# mine\n")
    done = daemon.command("add", "ann@example.com", *flags, given=b"secret")
    assert (done.returncode, "is there already" in done.stderr) == (os.EX_DATAERR, True), done.stderr
    assert files(daemon) == {"pop-client-ann.conf": b"# mine\n"}
    daemon.configure(imap_section("pop-client-ann", CLOSED, "bob", authority))
    taken = daemon.command("add", "ann@example.com", *flags, "--section", "pop-client-ANN", given=b"secret")
    assert (taken.returncode, "choose another name" in taken.stderr) == (os.EX_DATAERR, True)
    assert daemon.command("add", "ann@example.com", *flags, given=b"secret").returncode == 0
    assert sorted(files(daemon)) == [
        "pop-client-ann-example.com.conf",
        "pop-client-ann-example.com.password",
        "pop-client-ann.conf",
    ]


def test_the_password_of_another_section_is_not_overwritten(daemon: Emaild, authority: Authority) -> None:
    (daemon.home / "conf.d").mkdir()
    theirs = daemon.home / "conf.d/pop-client-ann.password"
    theirs.write_text("theirs")
    daemon.configure(imap_section("pop-client-bob", CLOSED, "bob", authority, password=f"file:{theirs}"))
    flags = [*imap_flags(CLOSED, authority), "--no-smtp", "--no-check", "--password-stdin"]
    done = daemon.command("add", "ann@example.com", *flags, given=b"secret")
    assert (done.returncode, "the secret of another section" in done.stderr) == (os.EX_DATAERR, True), done.stderr
    assert files(daemon) == {"pop-client-ann.password": b"theirs"}
    daemon.configure()
    assert daemon.command("add", "ann@example.com", *flags, given=b"secret").returncode == os.EX_DATAERR
    assert files(daemon) == {"pop-client-ann.password": b"theirs"}, "whatever it is for"


def test_a_wrong_option_is_refused_as_check_refuses_it(daemon: Emaild, authority: Authority) -> None:
    flags = [*imap_flags(CLOSED, authority), "--no-smtp", "--no-check", "--password-stdin"]
    done = daemon.command("add", "ann@example.com", *flags, "--option", "after-fetch=burn", given=b"secret")
    assert done.returncode == os.EX_CONFIG
    assert f"{daemon.home}/conf.d/pop-client-ann.conf:" in done.stderr
    assert "after-fetch: expected" in done.stderr
    assert not (daemon.home / "conf.d").exists()


@pytest.mark.parametrize("option", ["a\n[emaild]=1", "folder-path=a\n[emaild]", "nothing"])
def test_no_option_can_bring_another_line(daemon: Emaild, authority: Authority, option: str) -> None:
    flags = [*imap_flags(CLOSED, authority), "--no-smtp", "--no-check", "--password-stdin", "--option", option]
    done = daemon.command("add", "ann@example.com", *flags, given=b"secret")
    assert done.returncode in (os.EX_USAGE, os.EX_NOINPUT)
    assert files(daemon) == {}


def test_a_dry_run_prints_the_file_and_needs_no_password(daemon: Emaild, authority: Authority) -> None:
    flags = [*imap_flags(CLOSED, authority), *smtp_flags(CLOSED), "--dry-run"]
    done = daemon.command("add", "ann@example.com", *flags)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"# {daemon.home}/conf.d/pop-client-ann.conf\n# ann@example.com, set up")
    assert not (daemon.home / "conf.d").exists()


def test_a_program_is_told_what_was_done(
    daemon: Emaild, dovecot: Dovecot, authority: Authority, smtp: Callable[[str], FaultySmtp]
) -> None:
    user = "added-json@example.com"
    flags = [*imap_flags(dovecot.imaps, authority), *smtp_flags(smtp(user).smtp), "--password-file"]
    (told,) = daemon.listed("add", user, *flags, str(secret_file(daemon)))
    assert told["sections"] == ["pop-client-added-json", "smtp-client-added-json"]
    assert told["files"] == [f"{daemon.home}/conf.d/pop-client-added-json.conf"]
    assert (told["written"], told["works"], told["daemon"]) == (True, True, "none")
    assert [(one["section"], one["works"]) for one in told["check"]] == [(name, True) for name in told["sections"]]


@pytest.mark.parametrize(
    ("flags", "needed"),
    [
        (["--server", "localhost", "--no-smtp"], "--type is needed"),
        (["--type", "imap", "--server", "localhost", "--no-smtp"], "--password-file or --password-stdin is needed"),
        (["--type", "imap", "--server", "h", "--no-smtp", "--oauth"], "--client-id is needed"),
        (["--password-stdin", "--password-file", "x"], "give one of them"),
    ],
)
def test_a_script_is_told_what_is_missing(daemon: Emaild, flags: list[str], needed: str) -> None:
    done = daemon.command("add", "ann@example.com", *flags)
    assert (done.returncode, needed in done.stderr) == (os.EX_USAGE, True), done.stderr
    assert files(daemon) == {}


@pytest.mark.parametrize(
    "address",
    ["Anna <anna@example.com>", "*,b@example.com", "a;b@example.com", f"{'a' * 65}@example.com", "a b@example.com"],
)
def test_what_is_no_address_alone_is_refused(daemon: Emaild, authority: Authority, address: str) -> None:
    flags = [*imap_flags(CLOSED, authority), "--no-smtp", "--no-check", "--password-stdin"]
    done = daemon.command("add", address, *flags, given=b"secret")
    assert (done.returncode, "expected an address" in done.stderr) == (os.EX_USAGE, True), done.stderr
    assert files(daemon) == {}


def test_no_password_is_shown_or_logged(daemon: Emaild, dovecot: Dovecot, authority: Authority) -> None:
    secret = "hunter2-of-ann"
    flags = [*imap_flags(dovecot.imaps, authority), "--no-smtp", "--password-stdin", "--anyway"]
    daemon.start()
    done = daemon.command("add", "refused-hidden@example.com", *flags, given=f"{secret}\n".encode())
    assert done.returncode == 0, done.stderr
    assert secret not in done.stdout + done.stderr
    assert "it fails there" in done.stdout
    assert daemon.stop() == 0
    assert secret not in daemon.log_file.read_text(encoding="utf-8")


def test_a_person_is_asked_for_what_is_missing(
    daemon: Emaild, dovecot: Dovecot, authority: Authority, smtp: Callable[[str], FaultySmtp]
) -> None:
    user = "added-asked@example.com"
    way = smtp(user)
    flags = ["--port", str(dovecot.imaps), "--ca-file", str(authority.ca_file), "--server", "localhost"]
    with AtTerminal(daemon, "add", user, *flags, *smtp_flags(way.smtp)) as person:
        person.asked(r"How is it read \(POP3, IMAP, EWS, GRAPH\) \[IMAP\]: ")
        person.type("carrier pigeon")
        person.asked(r"How is it read .*: ")
        person.type("")
        person.asked(f"Password of {user}: ")
        person.type("secret")
        person.asked(r"\[pop-client-added-asked\] IMAP")
        person.asked(r"Write this\? \[y/N\] ")
        assert files(daemon) == {}
        person.type("y")
        code, shown = person.end()
    assert (code, "secret" in shown) == (0, False), shown
    assert "is written" in shown
    assert len(files(daemon)) == 2


@pytest.mark.parametrize("at", ["Password of", r"Write this\?"])
def test_ctrl_c_leaves_nothing(daemon: Emaild, dovecot: Dovecot, authority: Authority, at: str, tmp_path: Path) -> None:
    flags = [*imap_flags(dovecot.imaps, authority), "--no-smtp"]
    before = sorted(path.name for path in tmp_path.iterdir())
    with AtTerminal(daemon, "add", "added-ctrl-c@example.com", *flags) as person:
        person.asked("Password of")
        if at != "Password of":
            person.type("secret")
            person.asked(at)
        person.interrupt()
        assert person.end()[0] == 130
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_no_is_no(daemon: Emaild, dovecot: Dovecot, authority: Authority) -> None:
    flags = [*imap_flags(dovecot.imaps, authority), "--no-smtp"]
    with AtTerminal(daemon, "add", "added-no@example.com", *flags) as person:
        person.asked("Password of")
        person.type("secret")
        person.asked(r"Write this\?")
        person.type("n")
        assert person.end()[0] == os.EX_USAGE
    assert files(daemon) == {}

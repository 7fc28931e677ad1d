"""`emaild remove`: what was set up for a section alone goes; everything else, and its mail, stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emaild.net.oauth import Sealed
from emaild.net.oauth.grant import grant_of
from emaild.settings.load import load
from emaild.settings.secret import Secret
from tests.adapters.turns import mail
from tests.daemon.adding import CLOSED, AtTerminal, files, imap_flags, smtp_flags
from tests.daemon.harness import Emaild, imap_section, smtp_section
from tests.servers.authority import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.faulty_smtp import FaultySmtp
from tests.servers.wait import eventually
from tests.unit.provision.email2.documents import GUID, syncml, whole

BOX, WAY = "pop-client-ann", "smtp-client-ann"
IMPATIENT = (
    "import sys, emaild.cli.taken_up as it; it.WITHIN = 0.5; from emaild.cli.main import command;"
    " sys.exit(command(sys.argv[1:]))"
)
"""The command, which does not wait long for a daemon that stands still."""


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Emaild]:
    (tmp_path / "state").mkdir(mode=0o700)
    with Emaild(tmp_path) as made:
        made.configure()
        yield made


@pytest.fixture
def added(daemon: Emaild, authority: Authority) -> Path:
    """The file of a mailbox with its way out, neither of them reachable."""
    flags = [*imap_flags(CLOSED, authority), *smtp_flags(CLOSED), "--no-check", "--password-stdin"]
    done = daemon.command("add", "ann@example.com", *flags, given=b"secret")
    assert done.returncode == 0, done.stderr
    return daemon.home / "conf.d" / f"{BOX}.conf"


def lies_in(daemon: Emaild, text: str, name: str = "all.conf") -> Path:
    """A file of conf.d that a person wrote."""
    path = daemon.home / "conf.d" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


def test_the_running_daemon_lets_go_of_it_and_its_mail_stays(
    daemon: Emaild, dovecot: Dovecot, authority: Authority, faulty_smtp: Callable[..., FaultySmtp]
) -> None:
    user = "removed-runs@example.com"
    way = faulty_smtp(authority=authority, tls="starttls", user=user)
    daemon.start()
    dovecot.drop(user, [mail("one"), mail("two")])
    flags = [*imap_flags(dovecot.imaps, authority), *smtp_flags(way.smtp), "--option", "first-fetch=all"]
    assert daemon.command("add", user, *flags, "--password-stdin", given=b"secret").returncode == 0
    daemon.wait_for("interaction.created", 2)
    done = daemon.command("remove", "pop-client-removed-runs", "--yes")
    assert (done.returncode, done.stderr) == (0, "")
    assert "[pop-client-removed-runs] and [smtp-client-removed-runs] removed from" in done.stdout
    assert "2 of its mails stay in the store" in done.stdout
    assert done.stdout.endswith("the daemon has let go of it\n")
    assert files(daemon) == {}
    assert daemon.listed("mailboxes") == []
    assert daemon.stop() == 0
    assert len(daemon.interactions()) == 2


def test_its_mail_goes_with_it_where_that_is_wanted_and_no_other(
    daemon: Emaild, dovecot: Dovecot, authority: Authority
) -> None:
    user, other = "removed-mail@example.com", "removed-other@example.com"
    daemon.start()
    for name in (user, other):
        dovecot.drop(name, [mail("same"), mail(name)])
        flags = [*imap_flags(dovecot.imaps, authority), "--no-smtp", "--option", "first-fetch=all"]
        assert daemon.command("add", name, *flags, "--password-stdin", given=b"secret").returncode == 0
    daemon.wait_for("interaction.created", 4)
    box = "pop-client-removed-mail"
    refused = daemon.command("remove", box, "--with-mail")
    assert (refused.returncode, f"--yes is needed to remove [{box}] and its 2 mails" in refused.stderr) == (
        os.EX_USAGE,
        True,
    )
    assert len(files(daemon)) == 4
    (told,) = daemon.listed("remove", box, "--with-mail", "--yes")
    assert (told["removed"], told["mails_removed"], told["mails_kept"], told["daemon"]) == ([box], 2, 0, "ok")
    assert daemon.stop() == 0
    assert {entry.mailbox for entry in daemon.interactions()} == {"pop-client-removed-other"}
    assert len([raw for raw in daemon.raws() if b"same" in raw]) == 1


def test_mails_that_are_left_of_a_section_that_is_gone_can_still_be_removed(
    daemon: Emaild, dovecot: Dovecot, authority: Authority
) -> None:
    user, box = "removed-later@example.com", "pop-client-removed-later"
    dovecot.drop(user, [mail("one")])
    daemon.configure(imap_section(box, dovecot.imaps, user, authority, first_fetch="all"))
    daemon.start()
    daemon.wait_for("interaction.created")
    assert daemon.stop() == 0
    daemon.configure()
    with AtTerminal(daemon, "remove", box, "--with-mail") as person:
        person.asked(rf"Remove \[{box}\] and its 1 mails for good\? ")
        person.type("n")
        assert person.end()[0] == os.EX_USAGE
    assert len(daemon.interactions()) == 1
    done = daemon.command("remove", box, "--with-mail", "--yes")
    assert (done.returncode, "1 of its mails removed" in done.stdout) == (0, True)
    assert daemon.interactions() == []
    assert daemon.command("remove", box, "--with-mail", "--yes").returncode == os.EX_USAGE


def test_while_the_daemon_has_the_section_still_its_mails_stay(
    daemon: Emaild, dovecot: Dovecot, authority: Authority
) -> None:
    user, box = "removed-too-soon@example.com", "pop-client-removed-too-soon"
    dovecot.drop(user, [mail("one")])
    daemon.configure()
    lies_in(daemon, imap_section(box, dovecot.imaps, user, authority, first_fetch="all"))
    daemon.start()
    daemon.wait_for("interaction.created")
    daemon.signal(signal.SIGSTOP)
    for _ in ("its section goes", "it is gone"):
        command = [sys.executable, "-c", IMPATIENT, "remove", "--conf", str(daemon.conf), box, "--with-mail", "--yes"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, "its mails are not removed" in done.stderr) == (os.EX_CANTCREAT, True), done.stderr
        assert files(daemon) == {}
    daemon.signal(signal.SIGCONT)
    eventually(lambda: daemon.listed("mailboxes") == [], within=30)
    (told,) = daemon.listed("remove", box, "--with-mail", "--yes")
    assert (told["mails_removed"], told["daemon"], told["message"]) == (1, "ok", "the daemon has let go of it")
    assert daemon.stop() == 0
    assert daemon.interactions() == []


def test_it_goes_only_where_somebody_says_yes(daemon: Emaild, added: Path) -> None:
    before = files(daemon)
    refused = daemon.command("remove", BOX)
    assert refused.returncode == os.EX_USAGE
    assert f"--yes is needed to remove [{BOX}] and [{WAY}], for nobody is here to be asked" in refused.stderr
    for answer, code in (("", os.EX_USAGE), ("y", os.EX_OK)):
        assert files(daemon) == before
        with AtTerminal(daemon, "remove", BOX) as person:
            person.asked(rf"Remove \[{BOX}\] and \[{WAY}\]\? \[y/N\] ")
            person.type(answer)
            assert person.end()[0] == code
    assert not added.exists()


def test_lines_that_were_wrong_before_are_told_as_those(daemon: Emaild, added: Path) -> None:
    wrong = lies_in(daemon, "[pop-client-b]\nserver = h\nmailbox = b\npassword = p\nafter-fetch = burn\n", "wrong.conf")
    before = files(daemon)
    flags = ("--type", "imap", "--server", "h", "--no-smtp", "--no-check", "--password-stdin")
    for command in (("remove", BOX, "--yes"), ("add", "new@example.com", *flags)):
        done = daemon.command(*command, given=b"secret")
        first, last = done.stderr.splitlines()
        assert done.returncode == os.EX_CONFIG
        assert first.startswith(f"{wrong}:5: ")
        assert last == "emaild: these lines were there before: put them right first; nothing was changed"
    assert files(daemon) == before


def test_a_section_that_alone_is_wrong_can_be_removed(daemon: Emaild, added: Path) -> None:
    right = added.read_text(encoding="utf-8")
    added.write_text(right.replace("type = IMAP", "type = PIGEON"))
    assert daemon.command("check").returncode == os.EX_CONFIG
    done = daemon.command("remove", BOX.upper(), "--yes")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"[{BOX}] removed from {added}\n[{BOX}] was wrong, so what else was set up for it stays\n" in done.stdout
    assert f"[{WAY}]" in added.read_text(encoding="utf-8")
    assert f"[{BOX}]" not in added.read_text(encoding="utf-8").splitlines()
    assert daemon.command("check").returncode == 0
    for section, line in ((WAY, "port = no"), ("log", "verbose = loud")):
        lies_in(daemon, f"[{section}]\n{line}\n", "more.conf")
        before = files(daemon)
        assert daemon.command("remove", section, "--yes").returncode == os.EX_CONFIG
        assert files(daemon) == before


def test_what_is_not_there_is_told_without_a_file(daemon: Emaild, added: Path) -> None:
    done = daemon.command("remove", "pop-client-nope", "--yes")
    wrong = f"emaild: there is no mailbox or way out called pop-client-nope; there are: {BOX}, {WAY}\n"
    assert (done.returncode, done.stderr) == (os.EX_USAGE, wrong)
    assert added.exists()


def test_of_a_file_with_others_only_its_lines_go(daemon: Emaild) -> None:
    other = "\n# Of Bob.\n[pop-client-bob]\nserver = h\nmailbox = b\npassword = p\n\n# A remark.\n"
    head = "# Our mailboxes.\n\n"
    own = "# Of Ann.\n[pop-client-ann]\nserver = h\nmailbox = a\npassword = p\n#folder-path = X\n"
    path = lies_in(daemon, head + own + other)
    assert daemon.command("remove", BOX, "--yes").returncode == 0
    assert path.read_text(encoding="utf-8") == head + other.removeprefix("\n")
    assert daemon.command("check").returncode == 0


def test_a_section_elsewhere_is_told_where_it_stands(daemon: Emaild, authority: Authority) -> None:
    daemon.configure(imap_section(BOX, CLOSED, "ann", authority))
    before = daemon.conf.read_bytes()
    done = daemon.command("remove", BOX, "--yes")
    assert done.returncode == os.EX_DATAERR
    head = daemon.conf.read_text(encoding="utf-8").splitlines().index(f"[{BOX}]") + 1
    assert f"[{BOX}] stands in {daemon.conf}:{head}, not in {daemon.home}/conf.d; " in done.stderr
    assert "by hand" in done.stderr
    lies_in(daemon, "[pop-client-ann]\nfolder-path = X\n")
    assert f"{daemon.home}/conf.d/all.conf:1, in several files" in daemon.command("remove", BOX, "--yes").stderr
    assert daemon.conf.read_bytes() == before


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (f"[smtp-client]\nserver = h\nfallback = {WAY}\n", "[smtp-client] fallback"),
        (f"[email-processing]\nbatch-way-out = {WAY}\n", "[email-processing] batch-way-out"),
    ],
)
def test_a_way_out_that_others_use_stays(daemon: Emaild, added: Path, more: str, why: str) -> None:
    lies_in(daemon, more, "more.conf")
    done = daemon.command("remove", BOX, "--yes")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"[{WAY}] stays, for it is in use: {why}" in done.stdout
    assert f"[{WAY}]" in added.read_text(encoding="utf-8")
    assert f"[{BOX}]" not in added.read_text(encoding="utf-8").splitlines()
    assert sorted(files(daemon)) == ["more.conf", f"{BOX}.conf", f"{BOX}.password"], "it needs the password"
    refused = daemon.command("remove", WAY, "--yes")
    assert (refused.returncode, f"there is no section [{WAY}]" in refused.stderr) == (os.EX_CONFIG, True)


def test_a_way_out_for_other_senders_stays(daemon: Emaild, added: Path) -> None:
    text = added.read_text(encoding="utf-8")
    added.write_text(text.replace("senders = ann@example.com", "senders = ann@example.com, @example.org"))
    assert "senders @example.org" in daemon.command("remove", BOX, "--yes").stdout
    assert daemon.command("check").returncode == 0


def test_where_mails_wait_to_go_out_by_it_nothing_is_removed(daemon: Emaild, added: Path) -> None:
    before = files(daemon)
    sent = daemon.command("send", "--from", "ann@example.com", "--to", "x@example.com", "--text", "t")
    assert sent.returncode == 0, sent.stderr
    done = daemon.command("remove", BOX, "--yes")
    assert done.returncode == os.EX_DATAERR
    assert f"1 mail waits to go out by [{WAY}]" in done.stderr
    assert files(daemon) == before
    assert added.exists()
    assert daemon.command("remove", BOX, "--anyway", "--yes").returncode == 0
    assert files(daemon) == {}
    assert len(daemon.listed("outbox")) == 1


def test_its_sign_in_goes_and_that_which_others_share_stays(daemon: Emaild) -> None:
    token = (
        "server = h\ngrant-type = authorization_code\nclient-id = emaild\nmail.imap.auth.mechanisms = XOAUTH2\n"
        "type = IMAP\nmailbox = "
    )
    lies_in(daemon, f"[pop-client-ann]\n{token}ann@x.example\n[pop-client-b]\n{token}bob@x.example\n")
    lies_in(daemon, f"[pop-client-c]\n{token}bob@x.example\nfolder-path = Sales\n", "c.conf")
    sealed = Sealed(daemon.home / "state")
    boxes = load(daemon.conf).mailboxes
    names = {}
    for box in ("pop-client-ann", "pop-client-b"):
        grant = grant_of(boxes[box])
        assert grant is not None
        names[box] = grant.sealed_name
        sealed.write(grant.sealed_name, Secret("refresh"))
    for box in names:
        assert daemon.command("remove", box, "--yes").returncode == 0
    assert sealed.read(names["pop-client-ann"]) is None
    assert sealed.read(names["pop-client-b"]) == Secret("refresh")
    assert daemon.command("remove", "pop-client-c", "--yes").returncode == 0
    assert sealed.read(names["pop-client-b"]) is None


def test_the_secret_of_its_application_goes_too(daemon: Emaild) -> None:
    name = "conf.d/pop-client-ann.client-secret"
    lies_in(
        daemon,
        "[pop-client-ann]\ntype = IMAP\nserver = imap.gmail.com\nmailbox = a@gmail.com\ntenant-authority = google\n"
        "grant-type = authorization_code\nclient-id = c\nsecret = ann\nmail.imap.auth.mechanisms = XOAUTH2\n"
        f"\n# Of the application.\n[secret-ann]\npassword = file:{daemon.home}/{name}\n",
    )
    (daemon.home / name).write_text("s")
    assert daemon.command("remove", BOX, "--yes").returncode == 0
    assert files(daemon) == {}


def test_a_way_out_alone_is_removed(daemon: Emaild) -> None:
    daemon.configure(smtp_section(CLOSED))
    lies_in(daemon, smtp_section(CLOSED, "smtp-client-two"))
    assert daemon.command("remove", "SMTP-CLIENT-TWO", "--yes").returncode == 0
    assert files(daemon) == {}
    done = daemon.command("remove", "smtp-client-two", "--yes")
    assert (done.returncode, "there are: smtp-client" in done.stderr) == (os.EX_USAGE, True)


def test_a_provisioned_mailbox_goes_with_its_account_and_can_be_added_anew(daemon: Emaild) -> None:
    other = {"SMTPALTENABLED": "FALSE", "SMTPALTAUTHNAME": "a", "SMTPALTDOMAIN": "", "SMTPALTPASSWORD": "hunter3"}
    document = syncml(whole("Add", **other))
    for _ in range(2):
        made = daemon.command("provision", "-", given=document)
        assert made.returncode == 0, made.stderr
        assert "hunter3" in "".join(path.read_text(encoding="utf-8") for path in (daemon.home / "conf.d").iterdir())
        (told,) = daemon.listed("remove", f"POP-CLIENT-email2-{GUID.lower()}", "--yes")
        assert f"email2-{GUID.lower()}" in told["removed"]
        assert files(daemon) == {}


def test_an_account_whose_way_out_alone_goes_stays(daemon: Emaild) -> None:
    assert daemon.command("provision", "-", given=syncml(whole())).returncode == 0
    assert daemon.command("remove", f"smtp-client-email2-{GUID.lower()}", "--yes").returncode == 0
    assert daemon.command("check").returncode == 0
    (text,) = (path.read_text(encoding="utf-8") for path in (daemon.home / "conf.d").iterdir())
    assert f"[email2-{GUID.lower()}]" in text

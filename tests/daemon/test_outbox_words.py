"""What the commands about sending say, on a narrow terminal and into a pipe, with a daemon and without one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from emaild.store.ways_out import WayOutStatus
from tests.daemon.harness import Emaild, smtp_section
from tests.daemon.test_outbox_commands import Watching, on_terminal, queued, said, stopped, store_of
from tests.samples import lease_of, mail, outbound, tried
from tests.servers.faulty_smtp import FaultySmtp
from tests.servers.wait import eventually

LONG = f"{'long' * 15}@full.example"
WHY = f"4.2.2 The mailbox is full, {'really ' * 20}full"


@pytest.fixture
def emaild(tmp_path: Path) -> Iterator[Emaild]:
    """One that does not run, with two ways out that lead nowhere."""
    with Emaild(tmp_path) as daemon:
        daemon.configure(smtp_section(9), smtp_section(9, "smtp-client-off", enable_client="false"))
        yield daemon


def deferred(emaild: Emaild, *recipients: str) -> str:
    """The id of a mail whose server said WHY."""
    sick = outbound(*recipients, raw=mail("Your order"))
    queued(emaild, sick)
    with store_of(emaild) as store:
        now = datetime.now(UTC)
        got = tried(lease_of(store, sick, now), 452, at=now, retry_at=now + timedelta(hours=2), text=WHY)
        store.sending.record([replace(got, cause="mailbox-full", worst="mailbox-full")], now)
    return sick.id


def bare(shown: str) -> list[str]:
    """The lines on a terminal, without its own signs."""
    return re.sub(r"\x1b\[[0-9;]*m", "", shown.replace("\r\n", "\n")).splitlines()


def test_a_pipe_gets_a_line_for_each_mail_whole_and_without_padding(emaild: Emaild) -> None:
    first, second = deferred(emaild, LONG), deferred(emaild, "bob@full.example")
    heading, *lines = said(emaild, "outbox").splitlines()
    assert [line.split()[0] for line in lines] == [second, first]
    assert all(line.endswith(f": 452 {WHY}") for line in lines)
    assert heading.endswith("DIAGNOSIS")
    assert heading.index("TRIES") == lines[0].index(" 1 ") + 1 == lines[1].index(" 1 ") + 1
    story = said(emaild, "outbox", first).splitlines()
    assert f"    {LONG}: waiting (enhanced status 4.2.2): 452 {WHY}" in story
    assert not [line for line in story if line != line.rstrip()]


def test_on_80_columns_a_mail_has_its_reason_below_it(emaild: Emaild) -> None:
    name = deferred(emaild, LONG)
    heading, first, second = bare(on_terminal(emaild, ["outbox"], 80))
    assert heading.split() == ["ID", "STATE", "RECIPIENTS", "TRIES", "NEXT", "TRY"]
    assert first.split()[:2] == [name, "DEFERRED"]
    assert "…  1 " in first
    assert second.startswith("    longlong")
    told = " ".join(bare(on_terminal(emaild, ["outbox", name], 80)))
    assert re.sub(r"\s+", "", WHY) in re.sub(r"\s+", "", told)


def test_on_80_columns_a_way_is_one_line_and_its_error_below_it(emaild: Emaild) -> None:
    queued(emaild, outbound())
    emaild.start()
    emaild.wait_for("way_out.failed")
    eventually(lambda: emaild.listed("ways")[0]["state"] == "failing", within=10, what="the way's state")
    heading, failing, why, off = bare(on_terminal(emaild, ["ways"], 80))
    assert heading.split()[:5] == ["NAME", "STATE", "QUEUED", "DEFERRED", "HELD"]
    assert failing.split()[:5] == ["smtp-client", "failing", "0", "1", "0"]
    assert why.startswith("    connect: ")
    assert off.split() == ["smtp-client-off", "resting", "0", "0", "0"]
    assert emaild.command("ways").stderr == ""
    assert emaild.command("outbox").stderr == ""


def test_where_no_daemon_runs_each_command_says_so(emaild: Emaild) -> None:
    waits = outbound()
    queued(emaild, waits)
    with store_of(emaild) as store:
        store.ways_out.report([WayOutStatus(name="smtp-client", state="failing", last_error="connect: away")])
    ways = emaild.command("ways")
    assert ways.stderr == stopped(emaild)
    assert [line.split()[:2] for line in ways.stdout.splitlines()[1:]] == [
        ["smtp-client", "stopped"],
        ["smtp-client-off", "stopped"],
    ]
    assert {way["state"] for way in emaild.listed("ways")} == {"stopped"}
    for arguments in (("outbox",), ("mailboxes",), ("outbox", "--hold", waits.id), ("outbox", "--retry", "--all")):
        assert emaild.command(*arguments).stderr == stopped(emaild), arguments
    story = emaild.command("outbox", waits.id)
    assert story.stderr == ""
    assert f"But {stopped(emaild)[8:-1]}." in story.stdout
    assert "does not work at this moment" not in story.stdout


def test_a_mail_that_was_being_sent_when_the_daemon_ended_is_not_told_as_being_sent(emaild: Emaild) -> None:
    cut = outbound()
    queued(emaild, cut)
    with store_of(emaild) as store:
        lease_of(store, cut, datetime.now(UTC))
    assert f"The mail {cut.id} was being sent when the daemon ended" in said(emaild, "outbox", cut.id)


def test_a_mail_waits_for_its_way_that_rests(emaild: Emaild) -> None:
    until = datetime.now(UTC) + timedelta(minutes=5)
    rests, off, lost = outbound(), outbound(way_out="smtp-client-off"), outbound(way_out="smtp-client-gone")
    queued(emaild, rests, off, lost)
    with store_of(emaild) as store:
        failing = WayOutStatus(name="smtp-client", state="failing", last_error="connect: away", next_try=until)
        store.ways_out.report([failing, WayOutStatus(name="smtp-client-off", state="resting")])
    shown = until.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    rows = {line.split()[0]: line for line in said(emaild, "outbox").splitlines()[1:]}
    assert shown in rows[rests.id]
    for name in (off.id, lost.id):
        assert not re.search(r"\d\d:\d\d:\d\d", rows[name])
    documents = {one["id"]: one["next_attempt"] for one in emaild.listed("outbox")}
    assert documents[rests.id] == until.strftime("%Y-%m-%dT%H:%M:%S.") + f"{until.microsecond // 1000:03d}Z"
    assert documents[off.id] is documents[lost.id] is None
    assert f"the way out smtp-client rests until {shown}, in 4 min" in said(emaild, "outbox", rests.id)
    assert "its way out smtp-client-off is switched off." in said(emaild, "outbox", off.id)
    told = said(emaild, "outbox", lost.id)
    assert told.startswith(
        f"The mail {lost.id} waits for the way out smtp-client-gone, which is no more in the conf files."
    )
    assert "There is no way out smtp-client-gone in the conf files" in told


def test_who_has_a_mail_sent_is_told_what_stands_in_its_way(emaild: Emaild) -> None:
    off, lost, well = outbound(way_out="smtp-client-off"), outbound(way_out="smtp-client-gone"), outbound()
    queued(emaild, off, lost, well)
    switched_off = "the way out smtp-client-off is switched off (enable-client, enable-outbound-submitter)\n"
    gone = "but there is no way out smtp-client-gone in the conf files\n"
    assert said(emaild, "outbox", "--retry", well.id) == "1 mail is due now\n"
    assert said(emaild, "outbox", "--retry", off.id) == f"1 mail is let go\nbut {switched_off}"
    assert said(emaild, "outbox", "--retry", lost.id) == f"1 mail is let go\n{gone}"
    assert said(emaild, "outbox", "--retry", "--all") == f"3 mails are let go\n{gone}but {switched_off}"
    assert said(emaild, "outbox", "--hold", off.id) == "1 mail is held\n"
    for way, told in (("smtp-client-off", f"emaild: the mail waits: {switched_off}"), ("smtp-client", "")):
        done = emaild.command("send", "--from", "a@b.c", "--to", "d@e.f", "--text", "x", "--way-out", way)
        assert (done.returncode, done.stderr) == (0, told)
    test = emaild.command("send", "--test", "smtp-client-off", "a@b.example")
    assert f"emaild: {switched_off[:-1]}; this test mail goes all the same\n" in test.stderr


def test_who_watches_is_not_told_of_each_mail_when_its_way_rests_for_longer(emaild: Emaild) -> None:
    first, second = outbound(), outbound()
    queued(emaild, first)
    watching = Watching(emaild, "outbox", "--watch", "0.1")
    assert watching.line().split()[0] == first.id
    until = datetime.now(UTC) + timedelta(minutes=5)
    with store_of(emaild) as store:
        store.ways_out.report([WayOutStatus(name="smtp-client", state="failing", next_try=until)])
    queued(emaild, second)
    line = watching.line()
    assert line.split()[0] == second.id
    assert until.astimezone().strftime("%H:%M:%S") in line
    assert watching.end() == (0, b"")


def test_a_cause_that_there_is_not_is_refused_with_those_that_are_like_it(emaild: Emaild) -> None:
    deferred(emaild, LONG)
    for key, hint in (("nonsense", "'emaild outbox ID' tells that of a mail"), ("mailboxfull", "is it mailbox-full")):
        done = emaild.command("outbox", "--cause", key)
        assert (done.returncode, done.stdout) == (os.EX_USAGE, "")
        assert f"there is no cause '{key}'; {hint}" in done.stderr
        assert len(done.stderr) < 300
    assert len(emaild.listed("outbox", "--cause", "Mailbox-Full")) == 1
    assert emaild.listed("outbox", "--cause", "spam") == []


def test_a_way_out_is_found_in_any_case_and_one_that_there_is_not_is_told(emaild: Emaild) -> None:
    queued(emaild, outbound(), outbound(way_out="smtp-client-gone"))
    assert len(emaild.listed("outbox", "--way-out", "SMTP-Client")) == 1
    assert len(emaild.listed("outbox", "--way-out", "smtp-client-gone")) == 1
    assert said(emaild, "outbox", "--way-out", "smtp-client-off") == "no mail fits\n"
    for arguments in (("history",), ("outbox", "--retry")):
        done = emaild.command(*arguments, "--way-out", "smtp-cleint")
        assert (done.returncode, done.stdout) == (os.EX_USAGE, "")
        assert done.stderr == "emaild: there is no way out smtp-cleint; there are: smtp-client, smtp-client-off\n"


def test_the_list_for_programs_has_each_mails_subject(emaild: Emaild) -> None:
    mails = [outbound(raw=mail(f"Order {number}")) for number in range(250)]
    with store_of(emaild) as store:
        for one in mails:
            store.outbox.add(one, datetime.now(UTC))
    assert {one["id"]: one["subject"] for one in emaild.listed("outbox")} == {
        one.id: f"Order {number}" for number, one in enumerate(mails)
    }


def test_a_small_mails_size_is_not_told_in_mebibytes(emaild: Emaild) -> None:
    emaild.configure(smtp_section(9, maximum_message_size="1k"))
    done = emaild.command("send", "--from", "a@b.example", "--to", "c@d.example", "--text", "x" * 3000)
    assert done.returncode == os.EX_DATAERR
    assert re.search(
        r"the mail has 3\.\d KiB \(3\d\d\d bytes\); \[smtp-client\] .* is 1\.0 KiB \(1024 bytes\)", done.stderr
    )
    name = deferred(emaild, LONG)
    assert re.search(r"^Size +\d\d\d bytes$", said(emaild, "outbox", name), re.MULTILINE)


def test_the_sender_of_a_test_mail_is_told_with_its_reason(emaild: Emaild) -> None:
    with FaultySmtp() as server:
        for options, given, sender, why in (
            ({}, ("--from", "me@own.example"), "me@own.example", ""),
            (
                {"user": "me@user.example", "password": "secret"},
                (),
                "me@user.example",
                " (the section's user; --from names another)",
            ),
            (
                {"senders": "@d.example, us@own.example"},
                (),
                "us@own.example",
                " (of the section's senders; --from names another)",
            ),
            ({}, (), "c@d.example", " (the recipient's own, for the section names none; --from names another)"),
            ({"sender_override": "Us <us@all.example>"}, (), "us@all.example", " (the section's sender-override)"),
        ):
            emaild.configure(smtp_section(server.smtp, **options))
            shown = said(emaild, "send", "--test", "smtp-client", "c@d.example", *given)
            assert shown.splitlines()[1] == f"  a test mail from {sender}{why} to c@d.example"
            assert server.mails[-1].sender == sender

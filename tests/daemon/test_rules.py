"""Rules of conf files at work in the daemon, between real mail servers."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest

from emaild.fault_points import VARIABLE, FaultPoint
from emaild.message import Interaction, InteractionState
from tests.daemon.harness import Emaild, imap_section, smtp_section
from tests.daemon.test_kill import KILLED
from tests.daemon.test_threads import write
from tests.servers.authority import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.faulty_smtp import FaultySmtp
from tests.servers.postfix import Postfix
from tests.servers.wait import eventually

DESK = "rules-desk@desk.example"
ANN, BILLS, BOSS, ROBOT = (f"rules-{name}@people.example" for name in ("ann", "bills", "boss", "robot"))
FORWARD = f"[rule-bills]\nif-subject = *invoice*\nservice = Forward\nTo = {BILLS}\nText = Please answer.\n"
NOTIFY = f"[rule-vip]\nif-header = X-Level: gold\nservice = CreateNotification\nTo = {BOSS}\nText = A VIP wrote.\n"
ACKNOWLEDGE = "[rule-ack]\nservice = Acknowledge\nSrlId = thanks\nthen-queue = acknowledged\n"
NEWS = "[rule-news]\nif-subject = news*\nthen-queue = news\nthen-state = STOPPED\n"


def templates(folder: Path) -> str:
    """The operator's templates, with one standard response; the option that names them."""
    response = folder / "templates" / "responses" / "thanks"
    response.mkdir(parents=True)
    (response / "response.conf").write_text("[response]\nsubject = We have it\n", encoding="utf-8")
    (response / "body.txt").write_text("Thank you, <$ Contact.FullName $>.\n", encoding="utf-8")
    return f"templates = {folder / 'templates'}\n"


def test_an_acknowledgement_a_forward_and_a_notification_by_conf_files_alone(
    postfix: Callable[..., Postfix], dovecot: Dovecot, authority: Authority, tmp_path: Path
) -> None:
    boxes = f"lmtp:inet:127.0.0.1:{dovecot.lmtp}"
    relay = postfix(transport={"desk.example": boxes, "people.example": boxes})
    head = templates(tmp_path)
    servers = (
        imap_section("pop-client", dovecot.imaps, DESK, authority, first_fetch="all"),
        smtp_section(relay.smtp),
        "[email-processing]\nautowar-max-reply-count = 1\n",
    )

    def got(address: str) -> Message:
        """The one mail that somebody has."""
        (raw,) = eventually(lambda: dovecot.held(address), within=20)
        return message_from_bytes(raw)

    def ruled(subject: str) -> Interaction:
        (entry,) = [one for one in daemon.interactions() if one.facts.subject == subject]
        return entry

    with Emaild(tmp_path) as daemon:
        daemon.configure(*servers, FORWARD, NOTIFY, ACKNOWLEDGE, head=head)
        daemon.start()
        write(relay, sender=ANN, to=DESK, subject="My invoice")
        write(relay, sender=ANN, to=DESK, subject="Help", X_Level="gold")
        write(relay, sender=f"Ann Other <{ANN}>", to=DESK, subject="Hello", Message_ID="<hello@people.example>")
        daemon.wait_for("rule.applied", 3)

        forward = got(BILLS)
        assert forward["Subject"].startswith("FW: My invoice [#")
        assert "Please answer." in body(forward)
        assert ruled("My invoice").rule == "rule-bills"
        notification = got(BOSS)
        assert (notification["Auto-Submitted"], body(notification).split(".")[0]) == ("auto-generated", "A VIP wrote")
        assert (ruled("Help").rule, ruled("Help").queue) == ("rule-vip", "inbound")
        answer = got(ANN)
        assert (answer["Subject"], answer["In-Reply-To"]) == ("We have it", "<hello@people.example>")
        assert (answer["Auto-Submitted"], body(answer)) == ("auto-replied", "Thank you, Ann Other.\r\n")
        assert (ruled("Hello").rule, ruled("Hello").queue) == ("rule-ack", "acknowledged")

        write(relay, sender=ANN, to=DESK, subject="Away", Auto_Submitted="auto-replied")
        daemon.wait_for("rule.declined")
        assert (ruled("Away").rule, ruled("Away").queue) == ("rule-ack", "inbound")

        war(relay, daemon, got)

        daemon.configure(*servers, NEWS, FORWARD, NOTIFY, f"{ACKNOWLEDGE}Locale = xx_nowhere\n", head=head)
        (refused,) = daemon.wait_for("reload.refused")
        assert "[rule-ack] Locale: " in refused["faults"][0]
        daemon.configure(*servers, NEWS, FORWARD, NOTIFY, ACKNOWLEDGE, head=head)
        daemon.wait_for("reload.applied")
        write(relay, sender=ANN, to=DESK, subject="News of today")
        daemon.wait_for("rule.applied", rule="rule-news")
        assert (ruled("News of today").queue, ruled("News of today").state) == ("news", InteractionState.STOPPED)
        assert daemon.count("rule.failed") == daemon.count("rule.broke") == 0
        assert daemon.stop() == os.EX_OK
        got(ANN)


def war(relay: Postfix, daemon: Emaild, got: Callable[..., Message]) -> None:
    """A robot that does not say that it is one answers all that it gets."""
    declined = daemon.count("rule.declined")
    write(relay, sender=ROBOT, to=DESK, subject="Re: We have it")
    answers = got(ROBOT)["Message-ID"]
    write(relay, sender=ROBOT, to=DESK, subject="Re: We have it", In_Reply_To=answers)
    (*_, last) = daemon.wait_for("rule.declined", declined + 1)
    assert "autowar-max-reply-count" in last["reason"]
    got(ROBOT)


def body(mail: Message) -> str:
    """The text of a mail, or of its first part."""
    part = next(part for part in mail.walk() if part.get_content_type() == "text/plain")
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content.decode()


@pytest.mark.parametrize("point", [FaultPoint.PLANNED, FaultPoint.RULED], ids=lambda point: point.label)
def test_a_rule_is_applied_once_wherever_the_power_fails(
    point: FaultPoint,
    faulty_smtp: Callable[..., FaultySmtp],
    dovecot: Dovecot,
    authority: Authority,
    tmp_path: Path,
) -> None:
    server, user = faulty_smtp(), f"rules-{point.label}"
    dovecot.drop(
        user, [b"From: ann@people.example\r\nSubject: hello\r\nMessage-ID: <1@people.example>\r\n\r\nhello\r\n"]
    )
    box = imap_section("pop-client", dovecot.imaps, user, authority, first_fetch="all", address=DESK)
    with Emaild(tmp_path) as daemon:
        daemon.configure(box, smtp_section(server.smtp), ACKNOWLEDGE, head=templates(tmp_path))
        daemon.start({VARIABLE: point.label}, wait=False)
        assert daemon.wait() == KILLED
        applied = point is FaultPoint.RULED
        assert [entry.rule for entry in daemon.interactions()] == ["rule-ack" if applied else None]
        assert len(daemon.listed("outbox")) == applied
        daemon.start()
        daemon.wait_for("outbound.sent")
        assert daemon.stop() == os.EX_OK
        (entry,) = daemon.interactions()
        assert (entry.rule, entry.queue, entry.number) == ("rule-ack", "acknowledged", 1)
        assert len(daemon.listed("inbox", "--outbound")) == 1
    assert len(server.mails) == 1


# On the command line

MAIL = (
    b"From: Ann <ann@people.example>\r\nTo: desk@shop.example\r\nSubject: My invoice\r\nX-Level: gold\r\n\r\nhello\r\n"
)
BOX = "[pop-client]\nserver = localhost\nmailbox = desk@shop.example\npassword = x\nendpoint = bills\n"


@pytest.mark.parametrize(
    ("rules", "arguments", "rule"),
    [
        (FORWARD + NOTIFY, [], "rule-bills"),
        (NOTIFY + FORWARD, [], "rule-vip"),
        (f"{NEWS}[rule-in]\nif-mailbox = desk@shop.example\nthen-queue = q\n", [], None),
        ("[rule-in]\nif-mailbox = desk@shop.example\nthen-queue = q\n", ["--mailbox", "pop-client"], "rule-in"),
        ("[rule-in]\nif-queue = bills\nthen-queue = q\n", ["--mailbox", "pop-client"], "rule-in"),
    ],
)
def test_inspect_names_the_rule_that_would_fit(
    rules: str, arguments: list[str], rule: str | None, tmp_path: Path
) -> None:
    daemon = Emaild(tmp_path)
    daemon.configure(BOX, smtp_section(25), rules)
    done = daemon.command("inspect", *arguments, "--json", "-", given=MAIL)
    assert (done.returncode, done.stderr) == (os.EX_OK, "")
    assert [one["rule"] for one in json.loads(done.stdout)["interactions"]] == [rule]
    rows = [line.split() for line in daemon.command("inspect", *arguments, "-", given=MAIL).stdout.splitlines()]
    assert [row[1] for row in rows if row[:1] == ["rule"]] == ([rule] if rule else [])
    assert not (tmp_path / "state").exists(), "nothing is sent or stored"


def test_check_finds_a_rules_missing_response_and_missing_way_out(tmp_path: Path) -> None:
    daemon, head = Emaild(tmp_path), templates(tmp_path)
    daemon.configure(ACKNOWLEDGE, head=head)
    rule = daemon.conf.read_text(encoding="utf-8").splitlines().index("[rule-ack]") + 1
    done = daemon.command("check")
    assert done.returncode == os.EX_OK
    warning = "there is no way out, so that Acknowledge fails for every mail; add an [smtp-client] section (warning)"
    assert done.stderr == f"{daemon.conf}:{rule + 1}: [rule-ack] service: {warning}\n"
    daemon.configure(ACKNOWLEDGE.replace("thanks", "lost"), head=head)
    done = daemon.command("check")
    assert (done.returncode, done.stdout) == (os.EX_CONFIG, "")
    missing = f"there is no standard response lost in {tmp_path / 'templates' / 'responses'}, "
    assert done.stderr.startswith(f"{daemon.conf}:{rule + 2}: [rule-ack] SrlId: {missing}")

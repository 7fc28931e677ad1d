"""Mails that are taken in: seen by programs at once where no rule is to see them first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection

from emaild.jobs.intake import Intake
from emaild.jobs.looking import Looking
from emaild.message import Inbound
from emaild.store import Store
from emaild.store.engine import Database
from emaild.store.held import HeldMail, How
from emaild.store.interactions import Chosen
from emaild.store.raw import digest
from tests.clock import START, ManualClock
from tests.conf_files import ConfFiles
from tests.understanding import letter

BOX = "[pop-client]\nserver = localhost\nmailbox = support@shop.example\npassword = hunter2\n"
RULE = "[rule-a]\nthen-queue = a\n"
MAILS = 3


def take(store: Store, conf: ConfFiles, clock: ManualClock, text: str) -> tuple[int, int]:
    """How many mails wait for the rules then, and how many programs see; whoever applies rules is told of the first."""
    settings = conf.load(BOX + text)
    told: list[int] = []
    intake = Intake(
        settings.mailboxes["pop-client"],
        lambda: settings,
        store=store,
        looking=Looking(),
        clock=clock,
        waiting=lambda: told.append(len(store.interactions.unsubmitted(10))),
    )
    intake.take([Inbound(key=str(number), raw=letter()) for number in range(MAILS)])
    waiting = len(store.interactions.unsubmitted(10))
    assert told == ([waiting] if waiting else []), "it is told when they are there"
    return waiting, len(store.interactions.submitted(Chosen(), 0, 10))


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"{RULE}enable-rule = no\n",
        "[rule-a]\nif-type = Outbound\nservice = Send\n",
    ],
)
def test_without_a_rule_for_mails_in_programs_see_them_at_once(
    store: Store, conf: ConfFiles, clock: ManualClock, text: str
) -> None:
    assert take(store, conf, clock, text) == (0, MAILS)


@pytest.mark.parametrize("text", [RULE, "[email-processing]\nenable-inbound-submitter = false\n"])
def test_with_one_or_while_the_submitter_rests_they_wait(
    store: Store, conf: ConfFiles, clock: ManualClock, text: str
) -> None:
    assert take(store, conf, clock, text) == (MAILS, 0)


def test_numbers_cost_no_commit_of_their_own(
    store: Store, conf: ConfFiles, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits = 0
    write = Database.write

    @contextmanager
    def counting(self: Database) -> Iterator[Connection]:
        nonlocal commits
        commits += 1
        with write(self) as connection:
            yield connection

    monkeypatch.setattr(Database, "write", counting)
    assert take(store, conf, clock, "") == (0, MAILS)
    assert commits == 2, "the mark of what is looked at, and what became of it"


@pytest.mark.parametrize(("text", "waiting"), [("", 0), (RULE, 1)])
def test_a_held_mail_that_is_tried_again_is_no_exception(
    store: Store, conf: ConfFiles, clock: ManualClock, text: str, waiting: int
) -> None:
    settings, raw = conf.load(BOX + text), letter()
    section = settings.mailboxes["pop-client"]
    mail = HeldMail(
        id="A" * 16,
        account=section.account,
        mailbox=section.name,
        key="1",
        raw_digest=digest(raw),
        at=START,
        how=How.RAISED,
        traceback="",
    )
    store.held.hold(mail, Inbound(key="1", raw=raw), settled=True)
    Intake(section, lambda: settings, store=store, looking=Looking(), clock=clock).again(mail)
    assert len(store.interactions.unsubmitted(10)) == waiting
    assert len(store.interactions.submitted(Chosen(), 0, 10)) == 1 - waiting

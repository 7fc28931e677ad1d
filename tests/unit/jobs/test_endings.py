"""Secrets and certificates that end: which of them are told of, and how often."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from emaild.jobs.endings import Endings
from emaild.net.oauth.ending import endings
from tests.clock import START, ManualClock
from tests.conf_files import ConfFiles
from tests.said import Said
from tests.tokens import new_certificate

Make = Callable[..., Endings]


def box(number: int = 1, **options: str | Path) -> str:
    """A mailbox whose application proves itself."""
    given = {"type": "IMAP", "server": "localhost", "mailbox": f"box{number}@contoso.com", "password": "s3cret"}
    given |= {"pop-connection-security": "ssl-tls", "mail.imap.auth.mechanisms": "XOAUTH2", "client-id": "app"}
    given |= {"directory-id": "contoso", "grant-type": "client_credentials"}
    given |= {name.replace("_", "-"): str(value) for name, value in options.items()}
    lines = (f"{name} = {value}" for name, value in given.items() if value)
    return "\n".join([f"[pop-client{number}]", *lines, ""])


def day(days: float) -> str:
    return f"{START + timedelta(days=days):%Y-%m-%d}"


@pytest.fixture
def made(conf: ConfFiles, clock: ManualClock) -> Make:
    """The job of these sections."""

    def make(*sections: str) -> Endings:
        settings = conf.load("\n".join(sections))
        return Endings(lambda: settings, clock)

    return make


def test_secret_is_told_of_from_14_days_before_and_once_a_day(said: Said, made: Make, clock: ManualClock) -> None:
    job = made(box(secret_expires=day(16)))
    told: list[int] = []
    for hour in range(20 * 24):
        assert job.run() == 3600
        if len(said.all("credential.ends")) > len(told):
            told.append(hour // 24)
        clock.advance(3600)
    days = [event["days"] for event in said.all("credential.ends")]
    assert days[0] in (13, 14)
    assert days == sorted(days, reverse=True)
    assert days[-3:] == [0, 0, 0]
    assert len({*told}) == len(told) >= 17
    first = said.all("credential.ends")[0]
    assert (first["section"], first["what"], first["ends"]) == ("pop-client1", "client secret", day(16))
    assert "s3cret" not in str(said.events)


def test_resting_mailbox_is_told_of(said: Said, made: Make) -> None:
    made(box(secret_expires=day(3), enable_client="false")).run()
    assert said.one("credential.ends")["section"] == "pop-client1"


def test_application_of_many_sections_is_told_of_once_by_the_first(said: Said, made: Make) -> None:
    many = [box(number, secret_expires=day(3)) for number in range(1, 6)]
    made(*many, box(6, secret_expires=day(3), client_id="another")).run()
    assert [event["section"] for event in said.all("credential.ends")] == ["pop-client1", "pop-client6"]


def test_new_secret_ends_the_warnings_and_its_end_is_told_of_at_once(
    said: Said, conf: ConfFiles, clock: ManualClock
) -> None:
    settings = conf.load(box(secret_expires=day(3)))
    job = Endings(lambda: settings, clock)
    job.run()
    settings = conf.load(box(secret_expires=day(300)))
    clock.advance(2 * 86400)
    job.run()
    assert len(said.all("credential.ends")) == 1
    settings = conf.load(box(secret_expires=day(10)))
    job.run()
    assert said.all("credential.ends")[1]["ends"] == day(10)


def test_certificate_says_its_end_itself(said: Said, conf: ConfFiles, clock: ManualClock, tmp_path: Path) -> None:
    clock.advance((datetime.now(UTC) - clock.now()).total_seconds())
    certificate, key = new_certificate(tmp_path, 10)
    text = box(secret_expires="2020-01-01", password="", application_certificate=certificate, application_key=key)
    settings = conf.load(text)
    Endings(lambda: settings, clock).run()
    told = said.one("credential.ends")
    assert (told["what"], told["days"] in (9, 10)) == ("application-certificate", True)
    certificate.write_text("junk")
    assert endings(settings.servers()) == []
    certificate.unlink()
    assert endings(settings.servers()) == []


def test_section_that_signs_in_with_a_password_has_nothing_that_ends(conf: ConfFiles) -> None:
    plain = box(secret_expires=day(1), grant_type="").replace("mail.imap.auth.mechanisms = XOAUTH2\n", "")
    assert endings(conf.load(plain).servers()) == []
    assert [one.option for one in endings(conf.load(box(secret_expires=day(1))).servers())] == ["secret-expires"]


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (3, "the client secret ends on {}: no token is given after that"),
        (-3, "the client secret ended on {}: no token"),
    ],
)
def test_words_say_whether_it_is_over(conf: ConfFiles, days: int, words: str) -> None:
    (one,) = endings(conf.load(box(secret_expires=day(days))).servers())
    assert one.words(START).startswith(words.format(day(days)))

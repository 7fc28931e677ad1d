"""The webhook: each interaction is posted, signed, in the order of its thread, whatever the receiver does."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from emaild import __version__
from emaild.message import Interaction
from emaild.settings.secret import Secret
from emaild.store import Store
from tests.clock import START, ManualClock
from tests.publishing import FIRST, LIFETIME, MOST, Publishing, keep
from tests.said import Said as Log
from tests.servers.receiver import SECRET, HookReceiver, Posted, Said

OLD_KEY = b"another key of thirty-two bytes."
OLD_SECRET = "whsec_" + base64.b64encode(OLD_KEY).decode("ascii")


@pytest.fixture
def receiver() -> Iterator[HookReceiver]:
    with HookReceiver() as running:
        yield running


@pytest.fixture
def publishing(store: Store, clock: ManualClock, receiver: HookReceiver) -> Publishing:
    """A webhook that has looked for the first time."""
    made = Publishing(store, clock, receiver.url)
    made.run()
    return made


def refusing(*subjects: str, status: int = 422) -> Callable[[Posted], Said]:
    """Take all but these."""
    return lambda posted: Said(status) if posted.subject in subjects else Said()


def answering(*answers: Said) -> Callable[[Posted], Said]:
    """Say these, one after the other, and then take everything."""
    left = list(answers)
    return lambda posted: left.pop(0) if left else Said()


def test_an_interaction_is_posted_with_its_texts_and_signed(
    publishing: Publishing, receiver: HookReceiver, clock: ManualClock, said: Log
) -> None:
    name = keep(publishing.store, "Grüße ☃", text="How are you?")
    assert publishing.run() == 1.0
    (posted,) = receiver.posted
    entry = publishing.store.interactions.get(name)
    assert posted.path == "/mail?from=emaild"
    assert posted.headers["host"] == f"localhost:{receiver.port}"
    assert posted.headers["user-agent"] == f"emaild/{__version__}"
    assert posted.headers["content-type"] == "application/json; charset=utf-8"
    assert posted.id == name
    assert posted.headers["webhook-timestamp"] == str(int(clock.now().timestamp()))
    assert posted.is_signed()
    assert set(posted.event) == {"type", "timestamp", "data"}
    assert (posted.event["type"], posted.event["timestamp"]) == ("interaction.created", "2026-03-02T09:30:00.000Z")
    assert posted.event["data"]["number"] == entry.number
    assert posted.event["data"]["text"].strip() == "How are you?"
    assert posted.subject == "Grüße ☃"
    assert "Grüße ☃".encode() in posted.body
    assert posted.body == json.dumps(posted.event, ensure_ascii=False, separators=(",", ":")).encode()
    assert publishing.store.pushes.waiting() == (0, None)
    assert said.one("webhook.delivered")["interaction"] == name


def test_the_texts_stay_away_where_full_is_false(store: Store, clock: ManualClock, receiver: HookReceiver) -> None:
    publishing = Publishing(store, clock, receiver.url, full=False)
    publishing.run()
    keep(store, "hello", text="a secret text")
    publishing.run()
    assert receiver.subjects == ["hello"]
    assert b"a secret text" not in receiver.posted[0].body


def test_the_standards_own_library_takes_the_signature_and_only_the_right_one(
    store: Store, receiver: HookReceiver
) -> None:
    today = ManualClock(datetime.now(UTC))  # the library wants a time that is not old
    publishing = Publishing(store, today, receiver.url, old_secret=Secret(OLD_SECRET))
    publishing.run()
    keep(store, "hello")
    publishing.run()
    (posted,) = receiver.posted
    assert posted.is_signed(OLD_KEY), "the receiver may not know the new key yet"
    for secret in (SECRET, OLD_SECRET):
        assert Webhook(secret).verify(posted.body, dict(posted.headers))["type"] == "interaction.created"
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(posted.body + b" ", dict(posted.headers))


def test_only_interactions_of_the_queues_named_are_posted(
    store: Store, clock: ManualClock, receiver: HookReceiver
) -> None:
    publishing = Publishing(store, clock, receiver.url, queues=("Sales-*", "vip"))
    publishing.run()
    for queue in ("sales-eu", "sales", "VIP", "vip2", "support"):
        publishing.keep(queue, queue=queue)
    publishing.run()
    assert receiver.subjects == ["sales-eu", "VIP"]


def test_a_webhook_begins_with_what_comes_after_it_was_set(
    store: Store, clock: ManualClock, receiver: HookReceiver, said: Log
) -> None:
    keep(store, "before")
    publishing = Publishing(store, clock, receiver.url)
    publishing.run()
    publishing.keep("after")
    publishing.run()
    assert receiver.subjects == ["after"]
    assert said.one("webhook.began")["number"] == 1


def test_what_waits_goes_to_the_receiver_of_now(store: Store, clock: ManualClock, receiver: HookReceiver) -> None:
    with HookReceiver() as other:
        publishing = Publishing(store, clock, other.url)
        publishing.run()
        other.judge = lambda posted: Said(503)
        publishing.keep("one", "two")
        publishing.run()
        publishing.section = replace(publishing.section, url=receiver.url)
        publishing.restart()
        publishing.keep("three")
        publishing.passed(MOST)
        assert sorted(receiver.subjects) == ["one", "three", "two"]


def test_what_a_refused_interactions_thread_brings_waits_for_it_and_other_threads_do_not(
    publishing: Publishing, receiver: HookReceiver, said: Log
) -> None:
    receiver.judge = refusing("one")
    (root,) = publishing.keep("one")
    publishing.keep("two", "three", thread=root)
    publishing.keep("other")
    publishing.run()
    publishing.passed(FIRST * 2)
    assert receiver.subjects == ["one", "other", "one"]
    refused = said.one("webhook.refused")
    assert (refused["interaction"], refused["status"]) == (root, 422)
    receiver.judge = refusing()
    publishing.passed(MOST)
    assert receiver.subjects[3:] == ["one", "two", "three"]
    assert {posted.id for posted in receiver.posted if posted.subject == "one"} == {root}, "doubles can be told"
    assert publishing.job.state.up


def test_the_waits_of_a_refused_interaction_double_up_to_retry_maximum(
    publishing: Publishing, receiver: HookReceiver
) -> None:
    receiver.judge = refusing("one")
    (name,) = publishing.keep("one")
    publishing.run()
    for tries, wait in enumerate([FIRST * 2**n for n in range(8)] + [MOST] * 3, start=1):
        publishing.passed(wait * 0.79)
        assert len(receiver.posted) == tries
        publishing.passed(wait * 0.42)
        assert len(receiver.posted) == tries + 1
    assert {posted.id for posted in receiver.posted} == {name}


@pytest.mark.parametrize("status", [400, 401, 404, 409, 422])
def test_a_refusal_is_of_one_interaction_alone(publishing: Publishing, receiver: HookReceiver, status: int) -> None:
    receiver.judge = refusing("one", status=status)
    publishing.keep("one", "two")
    publishing.run()
    assert receiver.subjects == ["one", "two"]


@pytest.mark.parametrize("status", [500, 503, 429, 408])
def test_a_receiver_that_does_not_work_is_left_alone_and_then_gets_all(
    publishing: Publishing, receiver: HookReceiver, said: Log, status: int
) -> None:
    receiver.judge = answering(Said(status), Said(status))
    publishing.keep("one", "two", "three")
    publishing.run()
    assert len(receiver.posted) == 1
    assert not publishing.job.state.up
    publishing.passed(FIRST * 0.5)
    assert len(receiver.posted) == 1
    publishing.passed(FIRST)
    assert len(receiver.posted) == 2
    publishing.passed(FIRST)
    assert len(receiver.posted) == 2, "the second wait is longer"
    publishing.passed(MOST)
    assert sorted(receiver.subjects[2:]) == ["one", "three", "two"]
    assert publishing.job.state.up
    assert said.one("webhook.failed")["reason"] == f"it answered {status}"
    assert said.one("webhook.recovered")["failures"] == 2


def test_an_interaction_that_breaks_the_receiver_does_not_hold_up_the_others(
    publishing: Publishing, receiver: HookReceiver
) -> None:
    receiver.judge = refusing("poison", status=500)
    publishing.keep("poison", "one", "two")
    publishing.run()
    publishing.passed(FIRST * 1.2)
    assert receiver.subjects[:3] == ["poison", "one", "two"]
    for number in range(10):
        publishing.keep(f"more {number}")
        publishing.passed(MOST)
        publishing.passed(MOST)
        assert f"more {number}" in receiver.subjects
    assert receiver.subjects.count("poison") > 5


@pytest.mark.parametrize(
    ("retry_after", "longer", "shorter"),
    [
        ("120", 121, 119),
        ("Mon, 02 Mar 2026 09:32:00 GMT", 121, 119),
        ("999999999999999999999", MOST + 1, MOST - 1),
        ("Mon, 02 Mar 9026 09:32:00 GMT", MOST + 1, MOST - 1),
    ],
)
def test_a_receiver_may_say_when_to_come_back_within_bounds(
    publishing: Publishing, receiver: HookReceiver, retry_after: str, longer: float, shorter: float
) -> None:
    receiver.judge = answering(Said(429, (("Retry-After", retry_after),)))
    publishing.keep("one")
    publishing.run()
    publishing.passed(shorter)
    assert len(receiver.posted) == 1
    publishing.passed(longer - shorter)
    assert len(receiver.posted) == 2


@pytest.mark.parametrize(
    "retry_after", ["", "soon", "-5", "Mon, 02 Mar 2026", "1.5", "\xb2", "Mon, 02 Mar 2026 09:59:00 -0000"]
)
def test_a_retry_after_that_means_nothing_changes_nothing(
    publishing: Publishing, receiver: HookReceiver, retry_after: str
) -> None:
    receiver.judge = answering(Said(503, (("Retry-After", retry_after),)))
    publishing.keep("one")
    publishing.run()
    publishing.passed(FIRST * 1.2)
    assert len(receiver.posted) == 2


def test_nothing_is_posted_after_410_until_the_job_is_made_anew(
    publishing: Publishing, receiver: HookReceiver, said: Log
) -> None:
    receiver.judge = answering(Said(410))
    publishing.keep("one", "two")
    publishing.run()
    publishing.passed(LIFETIME / 2)
    assert receiver.subjects == ["one"]
    assert publishing.job.state.gone
    assert not publishing.job.state.up
    said.one("webhook.gone")
    publishing.restart()
    publishing.run()
    assert receiver.subjects == ["one", "one", "two"]


def test_redirects_are_not_followed_and_that_is_said(publishing: Publishing, receiver: HookReceiver, said: Log) -> None:
    with HookReceiver() as other:
        receiver.judge = lambda posted: Said(307, (("Location", other.url),))
        publishing.keep("one")
        publishing.run()
        publishing.passed(MOST)
        assert (len(receiver.posted), len(other.posted)) == (2, 0)
    failed = said.one("webhook.failed")
    assert failed["level"] == "error"
    assert "307; redirects are not followed" in failed["reason"]


def test_what_was_tried_within_lifetime_in_vain_is_given_up_and_its_thread_goes_on(
    publishing: Publishing, receiver: HookReceiver, said: Log
) -> None:
    receiver.judge = refusing("one")
    (root,) = publishing.keep("one")
    publishing.keep("two", thread=root)
    publishing.run()
    publishing.passed(LIFETIME)
    assert receiver.subjects == ["one", "one"]
    (later,) = publishing.keep("three", thread=root)
    publishing.run()
    publishing.passed(MOST)
    assert receiver.subjects == ["one", "one", "two", "three"]
    given_up = said.all("webhook.given_up")
    assert [(event["interaction"] == root, event["attempts"]) for event in given_up] == [(True, 2)]
    assert said.all("webhook.delivered")[-1]["interaction"] == later


def test_an_interaction_that_is_removed_is_not_told_and_its_thread_goes_on(
    publishing: Publishing, receiver: HookReceiver
) -> None:
    receiver.judge = refusing("one", status=503)
    root = keep(publishing.store, "one", received=START - timedelta(days=1))
    publishing.keep("two", thread=root)
    publishing.run()
    assert publishing.store.interactions.prune(START, 2) == 1
    publishing.passed(2 * 3600)
    assert receiver.subjects == ["one", "two"]


def test_a_mail_that_our_code_fails_on_holds_up_no_other(
    publishing: Publishing, receiver: HookReceiver, said: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(store: Store, settings: object, entry: Interaction) -> Interaction:
        if entry.facts.subject == "bad":
            raise RuntimeError("a fault of ours")
        return entry

    monkeypatch.setattr("emaild.jobs.publish.job.with_texts", broken)
    publishing.keep("bad", "good")
    publishing.run()
    assert receiver.subjects == ["good"]
    assert said.one("job.failed")["job"].startswith("webhook ")
    publishing.passed(LIFETIME + 1)
    said.one("webhook.given_up")


def test_a_stopped_job_posts_nothing_more(publishing: Publishing, receiver: HookReceiver) -> None:
    def last_one(posted: Posted) -> Said:
        publishing.job.stop()
        return Said()

    publishing.keep("one", "two")
    receiver.judge = last_one
    publishing.job.run()
    assert receiver.subjects == ["one"]
    assert publishing.job.run() is None
    receiver.judge = refusing()
    publishing.restart()
    publishing.run()
    assert receiver.subjects == ["one", "two"]


def test_no_secret_is_logged_whatever_happens(publishing: Publishing, receiver: HookReceiver, said: Log) -> None:
    receiver.judge = answering(*(Said(status) for status in (500, 301, 422)))
    publishing.keep("one", "two")
    for _ in range(4):
        publishing.passed(MOST)
    receiver.stop()
    publishing.keep("three")
    publishing.passed(MOST)
    lines = json.dumps(said.events)
    assert said.all("webhook.failed")
    assert SECRET not in lines
    assert SECRET.removeprefix("whsec_") not in lines
    assert "from=emaild" not in lines, "a URL's query may hold a token"

"""Metrics: read back as Prometheus reads them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families as parsed

from emaild.api.health import Health
from emaild.api.metrics import KEPT, Metrics
from emaild.errors import Unreachable
from emaild.jobs.publish.job import WebhookState
from emaild.log import counts, events
from emaild.log.setup import set_up
from emaild.message import Inbound, new_id
from emaild.net.oauth.ending import Ending
from emaild.settings.log import LogSection, Verbosity
from emaild.store import Store
from emaild.store.held import HeldMail, How
from emaild.store.mailboxes import MailboxStatus
from emaild.store.raw import digest
from tests.clock import START, ManualClock
from tests.publishing import keep
from tests.samples import kept, taken
from tests.sending import Sending
from tests.vitals import Patient

ENDS = "emaild_credential_ends_timestamp_seconds"


@pytest.fixture
def patient(store: Store, clock: ManualClock) -> Patient:
    return Patient(store, clock)


@pytest.fixture
def metrics(patient: Patient) -> Metrics:
    return Metrics(patient.vitals, Health(patient.vitals))


def values(metrics: Metrics, name: str) -> dict[tuple[str, ...], float]:
    """The samples of that name by their labels' values, in the order of their names."""
    text = metrics.text()[0].decode()
    return {
        tuple(sample.labels[label] for label in sorted(sample.labels)): sample.value
        for family in parsed(text)
        for sample in family.samples
        if sample.name == name
    }


def test_it_is_told_whether_it_takes_work(metrics: Metrics, patient: Patient) -> None:
    assert value(metrics, "emaild_ready") == 1
    patient.pulse.stopping = True
    assert (value(metrics, "emaild_ready"), value(metrics, "emaild_store_up")) == (0, 1)


def value(metrics: Metrics, name: str) -> float:
    return values(metrics, name)[()]


def test_every_metric_is_ours_or_the_process_and_says_what_it_is(patient: Patient, metrics: Metrics) -> None:
    patient.webhook = WebhookState(0, False)
    body, content_type = metrics.text()
    assert content_type.startswith("text/plain; version=")
    families = {family.name: family for family in parsed(body.decode())}
    ours = {name for name in families if name.startswith("emaild_")}
    assert {name.partition("_")[0] for name in families} == {"emaild", "process", "python"}
    assert all(families[name].documentation.endswith(".") for name in ours)
    assert len(ours) >= 18
    assert metrics.text("application/openmetrics-text; version=1.0.0")[1].startswith("application/openmetrics-text")


def test_events_are_counted_whether_or_not_the_log_shows_them(metrics: Metrics) -> None:
    set_up(LogSection(verbose=Verbosity.NONE))
    before = counts.counted().get(("daemon.idle", "warning"), 0)
    for _ in range(3):
        events.daemon_idle(message="nothing")
    assert values(metrics, "emaild_events_total")["daemon.idle", "warning"] == before + 3


def test_answers_to_mails_out_are_counted_by_outcome(metrics: Metrics, store: Store, clock: ManualClock) -> None:
    before = values(metrics, "emaild_outbound_tries_total")
    assert set(before) == {("sent",), ("deferred",), ("failed",), ("expired",)}
    sending = Sending(store, clock)
    sending.server.answers = {"deferred@b.c": 450, "failed@b.c": 550}
    for name in ("sent", "sent", "deferred", "failed"):
        sending.queue(f"{name}@b.c")
    sending.run()
    after = values(metrics, "emaild_outbound_tries_total")
    assert {name: after[name] - before[name] for name in after} == {
        ("sent",): 2,
        ("deferred",): 1,
        ("failed",): 1,
        ("expired",): 0,
    }


def test_interactions_are_counted_by_state_and_queue(metrics: Metrics, store: Store) -> None:
    for number, queue in enumerate(("a", "a", 'b "x"\\\n')):
        keep(store, str(number), queue=queue)
    assert values(metrics, "emaild_interactions") == {("a", "NEW"): 2, ('b "x"\\\n', "NEW"): 1}
    assert value(metrics, "emaild_interactions_unsubmitted") == 0


def test_queues_without_number_become_one_label(
    metrics: Metrics, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emaild.api.metrics.MOST_QUEUES", 3)
    for number in range(10):
        keep(store, str(number), queue=f"queue {number}")
    keep(store, "one more", queue="queue 9")
    found = values(metrics, "emaild_interactions")
    assert len(found) == 4
    assert (found["queue 9", "NEW"], found["(other)", "NEW"]) == (2, 7)


def test_what_is_counted_in_the_store_is_kept_for_a_while(metrics: Metrics, store: Store, clock: ManualClock) -> None:
    assert values(metrics, "emaild_interactions") == {}
    keep(store, "one")
    assert values(metrics, "emaild_interactions") == {}
    clock.advance(KEPT)
    assert values(metrics, "emaild_interactions") == {("inbound", "NEW"): 1}


def test_the_outbox_is_counted_by_way_and_state_with_its_oldest_mail(
    metrics: Metrics, patient: Patient, store: Store, clock: ManualClock
) -> None:
    sending = Sending(store, clock)
    patient.ways_out = [sending.way]
    sending.queue("a@b.c")
    clock.advance(100)
    sending.queue("b@b.c")
    nowhere_else = {(state, "smtp-client"): 0 for state in ("DEFERRED", "HELD", "SENDING")}
    assert values(metrics, "emaild_outbox_mails") == {("QUEUED", "smtp-client"): 2, **nowhere_else}
    assert values(metrics, "emaild_outbox_oldest_age_seconds") == {("smtp-client",): 100}
    sending.run()
    clock.advance(KEPT)
    assert values(metrics, "emaild_outbox_mails") == {("QUEUED", "smtp-client"): 0, **nowhere_else}
    assert values(metrics, "emaild_outbox_oldest_age_seconds") == {("smtp-client",): 0}


def test_a_way_out_that_failed_is_down_until_it_works(
    metrics: Metrics, patient: Patient, store: Store, clock: ManualClock
) -> None:
    sending = Sending(store, clock)
    patient.ways_out = [sending.way]
    sending.queue("a@b.c")
    sending.server.down = Unreachable("smtp.example", "connect", "refused")
    sending.run()
    assert values(metrics, "emaild_way_out_up") == {("smtp-client",): 0}
    assert value(metrics, "emaild_ways_out_failing") == 1
    sending.server.down = None
    sending.passed(600)
    assert values(metrics, "emaild_way_out_up") == {("smtp-client",): 1}
    assert value(metrics, "emaild_ways_out_failing") == 0


def test_mailboxes_tell_whether_they_are_read_and_when(metrics: Metrics, store: Store) -> None:
    states = [
        MailboxStatus(name="good", state="ok", last_poll=START, last_mail=START - timedelta(seconds=5)),
        MailboxStatus(name="bad", state="failing", last_error="a secret"),
        MailboxStatus(name="new", state="waiting"),
        MailboxStatus(name="off", state="resting"),
    ]
    store.mailboxes.report(states, [state.name for state in states])
    assert values(metrics, "emaild_mailbox_up") == {("good",): 1, ("bad",): 0}
    assert values(metrics, "emaild_mailbox_last_poll_timestamp_seconds") == {("good",): START.timestamp()}
    assert values(metrics, "emaild_mailbox_last_mail_timestamp_seconds") == {("good",): START.timestamp() - 5}
    assert value(metrics, "emaild_mailboxes_failing") == 1
    assert b"a secret" not in metrics.text()[0]


def test_the_webhook_tells_what_waits_and_whether_the_receiver_works(
    metrics: Metrics, patient: Patient, store: Store, clock: ManualClock
) -> None:
    assert values(metrics, "emaild_webhook_up") == {}
    store.pushes.take(lambda queue: True, clock.now())
    keep(store, "one")
    keep(store, "two")
    store.pushes.take(lambda queue: True, clock.now())
    clock.advance(60)
    patient.webhook = WebhookState(failures=1, gone=False)
    assert value(metrics, "emaild_webhook_up") == 0
    assert value(metrics, "emaild_webhook_waiting") == 2
    assert value(metrics, "emaild_webhook_oldest_age_seconds") == 60
    patient.webhook = WebhookState(failures=0, gone=False)
    assert value(metrics, "emaild_webhook_up") == 1


def test_held_mails_and_those_that_no_rule_saw_are_counted(metrics: Metrics, store: Store) -> None:
    raw = b"Subject: bad\r\n\r\n"
    mail = HeldMail(
        id=new_id(START),
        account="a",
        mailbox="m",
        key="1",
        raw_digest=digest(raw),
        at=START,
        how=How.RAISED,
        traceback="",
    )
    store.held.hold(mail, Inbound(key="1", raw=raw), settled=True)
    kept(store, "imap:a@b/INBOX", [taken("2")])
    with store._database.write() as connection:
        connection.exec_driver_sql("UPDATE interaction SET number = NULL")
    assert value(metrics, "emaild_held_mails") == 1
    assert value(metrics, "emaild_interactions_unsubmitted") == 1


def test_a_store_that_cannot_be_read_leaves_the_other_metrics(
    metrics: Metrics, store: Store, clock: ManualClock
) -> None:
    assert value(metrics, "emaild_store_up") == 1
    with store._database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE interaction RENAME TO elsewhere")
    clock.advance(KEPT)
    assert value(metrics, "emaild_store_up") == 0
    assert values(metrics, "emaild_build_info")


def test_counting_the_store_walks_over_indexes_and_not_over_mails(store: Store) -> None:
    queries = {
        "SELECT state, queue, count(*) FROM interaction GROUP BY state, queue": "COVERING INDEX interaction_state",
        "SELECT count(*) FROM interaction WHERE number IS NULL": "COVERING INDEX interaction_unsubmitted",
    }
    with store._database.read() as connection:
        for query, index in queries.items():
            assert index in str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}").all()), query


def test_end_of_a_secret_is_told_for_each_section_that_has_one(metrics: Metrics, patient: Patient) -> None:
    assert values(metrics, ENDS) == {}
    patient.clock.advance(KEPT)
    ends = START + timedelta(days=9)
    patient.endings = [Ending("pop-client", "secret-expires", "client secret", "app", ends)]
    assert values(metrics, ENDS) == {("pop-client", "client secret"): ends.timestamp()}


def test_a_way_out_tells_when_it_sent_last_and_that_its_limit_is_reached(
    metrics: Metrics, patient: Patient, store: Store, clock: ManualClock
) -> None:
    sending = Sending(store, clock, message_limit_given=1, message_limit_strict=True)
    patient.ways_out.append(sending.way)
    assert values(metrics, "emaild_way_out_limited") == {("smtp-client",): 0}
    assert values(metrics, "emaild_way_out_last_sent_timestamp_seconds") == {}
    for _ in range(2):
        sending.queue()
    sending.settle()
    assert values(metrics, "emaild_way_out_limited") == {("smtp-client",): 1}
    assert values(metrics, "emaild_way_out_last_sent_timestamp_seconds") == {("smtp-client",): clock.now().timestamp()}
    clock.advance(60)
    assert values(metrics, "emaild_way_out_limited") == {("smtp-client",): 0}

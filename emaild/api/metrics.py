"""Metrics for Prometheus: names emaild_*, base units, and no label that a stranger could fill without end."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from emaild import __version__
from emaild.api.health import Health
from emaild.api.vitals import Kept, Vitals
from emaild.errors import StoreFailed
from emaild.jobs.ways import status_of
from emaild.log.counts import counted
from emaild.store.figures import Waiting
from emaild.store.mailboxes import MailboxStatus
from emaild.store.outbox_entries import WAITING_STATES
from emaild.store.ways_out import WayOutStatus

KEPT = 30.0  # seconds: counting a million rows of each kind takes nearly one
MOST_QUEUES = 200  # programs may name any queue
OTHER_QUEUES = "(other)"
OUTCOMES = {f"outbound.{outcome}": outcome for outcome in ("sent", "deferred", "failed", "expired")}


@dataclass(frozen=True, kw_only=True)
class _Figures:
    """What was counted in the store at one moment."""

    interactions: list[tuple[str, str, int]]
    unsubmitted: int
    outbox: list[Waiting]
    held: int
    pushes: tuple[int, datetime | None]
    mailboxes: Mapping[str, MailboxStatus]
    ways_out: Mapping[str, WayOutStatus]


class Metrics:
    """The answer to /metrics. Asking reads the store: not for an event loop's thread."""

    def __init__(self, vitals: Vitals, health: Health) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Daemon(vitals, health))
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def text(self, accept: str = "") -> tuple[bytes, str]:
        """All of them in the form that the Accept field asks for, and the content type of that."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type


class _Daemon(Collector):
    """Everything that is ours."""

    def __init__(self, vitals: Vitals, health: Health) -> None:
        self._vitals = vitals
        self._health = health
        self._figures = Kept(self._count, KEPT, vitals.clock)
        self._known_endings = Kept(vitals.endings, KEPT, vitals.clock)

    def describe(self) -> list[Metric]:
        """Nothing: so registering does not count."""
        return []

    def collect(self) -> Iterator[Metric]:
        """What is true now; what is counted in the store may be some seconds old."""
        yield InfoMetricFamily(
            "emaild_build", "The running emaild.", {"version": __version__, "python": platform.python_version()}
        )
        yield from _events()
        yield _gauge("emaild_ready", "Whether it takes work now, as /readyz says.", self._health.ready().status == 200)
        figures = self._figures()
        yield _gauge("emaild_store_up", "Whether the store can be read.", figures is not None)
        if figures is not None:
            yield from _interactions(figures)
            yield from self._outbox(figures)
            yield from _mailboxes(figures.mailboxes)
        yield from self._ways_out(figures)
        yield from self._webhook(figures)
        yield self._endings()

    def _count(self) -> _Figures | None:
        store = self._vitals.store
        try:
            return _Figures(
                interactions=store.figures.interactions(),
                unsubmitted=store.figures.unsubmitted(),
                outbox=store.figures.outbox(),
                held=store.figures.held(),
                pushes=store.pushes.waiting(),
                mailboxes=store.mailboxes.all(),
                ways_out=store.ways_out.all(),
            )
        except StoreFailed:
            return None

    def _age(self, since: datetime) -> float:
        return max(0.0, (self._vitals.clock.now() - since).total_seconds())

    def _outbox(self, figures: _Figures) -> Iterator[Metric]:
        names = {way.section.name for way in self._vitals.ways_out()} | {row.way_out for row in figures.outbox}
        mails = _family("emaild_outbox_mails", "Mails that wait to be sent, or are being sent.", "way_out", "state")
        ages = _family("emaild_outbox_oldest_age_seconds", "How long the oldest of them has waited.", "way_out")
        for name in sorted(names):
            rows = {row.state: row for row in figures.outbox if row.way_out == name}
            for state in WAITING_STATES:
                mails.add_metric([name, state.value], rows[state.value].count if state.value in rows else 0)
            ages.add_metric([name], max((self._age(row.oldest) for row in rows.values()), default=0))
        yield mails
        yield ages

    def _ways_out(self, figures: _Figures | None) -> Iterator[Metric]:
        ways = self._vitals.ways_out()
        up = _family("emaild_way_out_up", "Whether a way out worked the last time.", "way_out")
        limited = _family("emaild_way_out_limited", "Whether a way out reached its limit a minute.", "way_out")
        sent = _family("emaild_way_out_last_sent_timestamp_seconds", "When a mail went that way last.", "way_out")
        now, states = self._vitals.clock.now(), figures.ways_out if figures else {}
        for way in ways:
            status = status_of(way, states.get(way.section.name), now)
            up.add_metric([status.name], not way.failing)
            limited.add_metric([status.name], status.state == "limited")
            if status.last_sent is not None:
                sent.add_metric([status.name], status.last_sent.timestamp())
        yield from (up, limited, sent)
        failing = sum(way.failing for way in ways)
        yield _gauge("emaild_ways_out_failing", "Ways out that did not work the last time.", failing)

    def _webhook(self, figures: _Figures | None) -> Iterator[Metric]:
        state = self._vitals.webhook()
        if state is not None:
            yield _gauge("emaild_webhook_up", "Whether the webhook's receiver worked the last time.", state.up)
        if figures is not None:
            count, oldest = figures.pushes
            yield _gauge("emaild_webhook_waiting", "Interactions that the receiver is still to be told of.", count)
            age = 0.0 if oldest is None else self._age(oldest)
            yield _gauge("emaild_webhook_oldest_age_seconds", "How long the oldest of them has waited.", age)

    def _endings(self) -> Metric:
        when = "When the client secret or the certificate of a section ends that gets tokens with it."
        ends = _family("emaild_credential_ends_timestamp_seconds", when, "section", "what")
        for one in self._known_endings():
            ends.add_metric([one.section, one.what], one.ends.timestamp())
        return ends


def _events() -> Iterator[Metric]:
    said = CounterMetricFamily(
        "emaild_events", "Events since the start, whether or not the log shows them.", labels=["event", "level"]
    )
    sent = CounterMetricFamily(
        "emaild_outbound_tries", "Answers of servers to mails out since the start.", labels=["outcome"]
    )
    outcomes = dict.fromkeys(OUTCOMES.values(), 0)
    for (event, level), count in sorted(counted().items()):
        said.add_metric([event, level], count)
        if event in OUTCOMES:
            outcomes[OUTCOMES[event]] += count
    for outcome, count in outcomes.items():
        sent.add_metric([outcome], count)
    yield said
    yield sent


def _interactions(figures: _Figures) -> Iterator[Metric]:
    entries = _family("emaild_interactions", "Interactions in the store.", "state", "queue")
    by_size = sorted(figures.interactions, key=lambda row: row[2], reverse=True)
    others: dict[str, int] = {}
    for place, (state, queue, count) in enumerate(by_size):
        if place < MOST_QUEUES:
            entries.add_metric([state, _label(queue)], count)
        else:
            others[state] = others.get(state, 0) + count
    for state, count in others.items():
        entries.add_metric([state, OTHER_QUEUES], count)
    yield entries
    yield _gauge("emaild_interactions_unsubmitted", "Interactions that no rule has seen yet.", figures.unsubmitted)
    yield _gauge("emaild_held_mails", "Mails that emaild could not take and holds.", figures.held)


def _mailboxes(states: Mapping[str, MailboxStatus]) -> Iterator[Metric]:
    up = _family("emaild_mailbox_up", "Whether a mailbox could be read the last time.", "mailbox")
    polls = _family("emaild_mailbox_last_poll_timestamp_seconds", "When it was read last.", "mailbox")
    mails = _family("emaild_mailbox_last_mail_timestamp_seconds", "When a mail came from it last.", "mailbox")
    for name, state in states.items():
        if state.state in ("ok", "failing"):
            up.add_metric([name], state.state == "ok")
        for family, when in ((polls, state.last_poll), (mails, state.last_mail)):
            if when is not None:
                family.add_metric([name], when.timestamp())
    yield from (up, polls, mails)
    failing = sum(state.state == "failing" for state in states.values())
    yield _gauge("emaild_mailboxes_failing", "Mailboxes that cannot be read.", failing)


def _family(name: str, meaning: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, meaning, labels=labels)


def _gauge(name: str, meaning: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, meaning, value=float(value))


def _label(text: str) -> str:
    """A text that can be written in UTF-8."""
    return text.encode("utf-8", "replace").decode("utf-8")

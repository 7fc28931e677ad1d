"""A large history goes in small steps, and mail goes out between them."""

from __future__ import annotations

from datetime import timedelta

from emaild.jobs.sweep import STEP, STEPS, Sweep
from emaild.message import OutboundState
from emaild.settings.daemon import StoreSection
from emaild.store import Store
from emaild.store.writes import NewMail, Writes
from tests.clock import ManualClock
from tests.samples import in_history, leased, mail, outbound, taken, tried
from tests.sending import Sending

DAY = 86400.0


def old_history(store: Store, clock: ManualClock, count: int) -> None:
    """So many mails that were sent long ago, each with a try."""
    store.writing.commit(Writes(queued=tuple(outbound(raw=mail(f"old {n}")) for n in range(count))), clock.now())
    all_of_them = leased(store, clock.now(), most=count)
    store.sending.record([tried(one, 250, at=clock.now()) for one in all_of_them], clock.now())
    assert len(in_history(store)) == count
    clock.advance(31 * DAY)


def sweep(sending: Sending) -> Sweep:
    return Sweep(sending.store, sending.clock, lambda: StoreSection(keep_history=30), lambda: [sending.way])


def test_mails_go_out_between_the_steps_in_which_a_large_history_goes(store: Store, clock: ManualClock) -> None:
    steps = 5
    old_history(store, clock, steps * STEP)
    sending = Sending(store, clock)
    prune, removed = store.outbox.prune, []
    new = []

    def in_turns(*arguments: object, **named: object) -> int:
        removed.append(prune(*arguments, **named))  # type: ignore[arg-type]
        new.append(sending.queue("a@b.c"))
        sending.passed(1)
        assert sending.state(new[-1]) is OutboundState.SENT
        return removed[-1]

    store.outbox.prune = in_turns  # type: ignore[method-assign]
    sweep(sending).run()
    assert removed == [STEP] * steps + [0]
    assert {entry.id for entry in in_history(store)} == {one.id for one in new}


def test_a_run_has_few_steps_and_the_rest_goes_later(store: Store, clock: ManualClock) -> None:
    old_history(store, clock, (STEPS + 3) * STEP)
    job = sweep(Sending(store, clock))
    job.run()
    assert len(in_history(store)) == 3 * STEP
    job.run()
    assert in_history(store) == []


def test_the_bytes_of_an_old_mail_stay_while_an_interaction_has_them(store: Store, clock: ManualClock) -> None:
    sending = Sending(store, clock)
    raw = mail("both")
    _, entry = taken("1", raw)
    sent = outbound("a@b.c", raw=raw)
    store.writing.commit(Writes(created=(NewMail(interaction=entry, raw=raw),), queued=(sent,)), clock.now())
    sending.run()
    assert sending.state(sent) is OutboundState.SENT
    clock.advance(timedelta(days=31).total_seconds())
    sweep(sending).run()
    assert in_history(store) == []
    assert store.interactions.raw(store.interactions.get(entry.id)) == raw

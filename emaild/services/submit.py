"""Rules at work: what becomes of each interaction before programs see it.

What a rule's service makes, what the rule does to the interaction, and the number by which programs find it are one
commit. So a rule is applied exactly once: what ends the process before that leaves the interaction to the next start.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from emaild import fault_points
from emaild.clock import Clock
from emaild.errors import NotFound, OperatorError, StoreFailed
from emaild.fault_points import FaultPoint
from emaild.jobs.health import StoreHealth
from emaild.jobs.texts import with_texts
from emaild.log import events
from emaild.message import Interaction
from emaild.services.call import planned, rules_for
from emaild.services.circles import counted, goes_in_circles
from emaild.services.faults import FaultKind, ServiceFault
from emaild.services.office import Office, Plan
from emaild.services.rules import first_fit
from emaild.settings.load import Settings
from emaild.settings.routes import Caller
from emaild.settings.rule import RuleSection
from emaild.store import Store
from emaild.store.writes import Change, Gone, Submission, Writes

EVERY = 5.0  # seconds; another process that stores something wakes nobody here
MOST = 100  # interactions in one run, so that the end of the process is never far
DECLINED = (FaultKind.AUTOMATIC_MAIL, FaultKind.AUTO_REPLY_WAR, FaultKind.NOBODY_TO_ANSWER)

Ruled = tuple[Interaction, RuleSection | None]
"""An interaction, and the rule that fits it."""


class Submit:
    """The job that gives interactions to the rules, and with their numbers to programs."""

    name = "submit"
    host = "store"

    def __init__(self, store: Store, settings: Callable[[], Settings], clock: Clock) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._health = StoreHealth("apply rules")

    def run(self) -> float:
        """Some of those that wait, the oldest first; the next of them at once."""
        settings = self._settings()
        if not settings.processing.enable_inbound_submitter:
            return EVERY
        try:
            waiting = self._store.interactions.unsubmitted(MOST)
            self._submit(waiting, Office(settings=settings, store=self._store))
        except StoreFailed as error:
            self._health.failed(error)
            return EVERY
        self._health.worked()
        return 0.0 if waiting else EVERY

    def _submit(self, waiting: Sequence[Interaction], office: Office) -> None:
        """Each service knows of all that came of the interactions before; what needs none goes in one commit."""
        plain: list[Ruled] = []
        for entry in waiting:
            rule = self._rule(entry, office)
            if rule is None or not rule.service:
                plain.append((entry, rule))
                continue
            self._let_go(plain)
            plain = []
            self._serve(entry, rule, office)
        self._let_go(plain)

    def _rule(self, entry: Interaction, office: Office) -> RuleSection | None:
        settings = office.settings
        try:
            return first_fit(
                settings.rules.values(), entry, settings, lambda entry: with_texts(self._store, settings, entry)
            )
        except NotFound:  # it was pruned meanwhile
            return None
        except StoreFailed:
            raise
        except Exception:  # noqa: BLE001  (our fault, and none of the other interactions')
            events.rule_broke(rule="", interaction=entry.id)
            return None

    def _let_go(self, ruled: Sequence[Ruled]) -> None:
        if not ruled:
            return
        changes = tuple(change for entry, rule in ruled if rule for change in _then(entry, rule))
        given = [Submission(id=entry.id, rule=rule.name if rule else None) for entry, rule in ruled]
        try:
            self._store.writing.commit(Writes(changes=changes), self._clock.now(), submissions=given)
        except Gone:  # it was pruned meanwhile; the next run finds the others
            return
        for entry, rule in ruled:
            if rule is not None:
                events.rule_applied(rule=rule.name, service="", interaction=entry.id, created="", outbound="")

    def _serve(self, entry: Interaction, rule: RuleSection, office: Office) -> None:
        """Where the service cannot do it the rule has no effect: the interaction stays where programs look."""
        now, seen = self._clock.now(), [Submission(id=entry.id, rule=rule.name)]
        try:
            plan = self._planned(entry, rule, office, now)
            fault_points.reached(FaultPoint.PLANNED)
            writes = replace(plan.writes, changes=(*plan.writes.changes, *_then(entry, rule)))
            rules = rules_for(writes, office.settings)
            self._store.writing.commit(writes, now, submissions=seen, rules=rules)
        except StoreFailed:
            raise
        except Exception as error:  # noqa: BLE001  (a fault of one interaction, or ours, is none of the others')
            self._store.writing.commit(Writes(), now, submissions=seen)
            _tell(error, entry, rule)
        else:
            fault_points.reached(FaultPoint.RULED)
            _say(plan, entry, rule)

    def _planned(self, entry: Interaction, rule: RuleSection, office: Office, now: datetime) -> Plan:
        if goes_in_circles(rule, entry, self._store.interactions):
            raise ServiceFault(FaultKind.AUTOMATIC_MAIL, "it answers a mail that this rule sent")
        given = {**rule.parameters, "InteractionId": entry.id}
        plan = planned(rule.service, given, replace(office, caller=Caller(name=rule.name)), now)
        return replace(plan, writes=counted(plan.writes, entry, office, now))


def _then(entry: Interaction, rule: RuleSection) -> tuple[Change, ...]:
    """What the rule does to the interaction itself."""
    change = Change(id=entry.id, queue=rule.then_queue or None, state=rule.then_state)
    return (change,) if change.queue or change.state else ()


def _say(plan: Plan, entry: Interaction, rule: RuleSection) -> None:
    plan.say()
    made = {name: plan.result.get(name) for name in ("interaction_id", "outbox_id")}
    events.rule_applied(
        rule=rule.name,
        service=rule.service,
        interaction=entry.id,
        created=str(made["interaction_id"] or ""),
        outbound=str(made["outbox_id"] or ""),
    )


def _tell(error: Exception, entry: Interaction, rule: RuleSection) -> None:
    """Why the rule's service was not called to its end."""
    if not isinstance(error, OperatorError):
        events.rule_broke(rule=rule.name, interaction=entry.id)
        return
    declined = isinstance(error, ServiceFault) and error.kind in DECLINED
    say = events.rule_declined if declined else events.rule_failed
    say(rule=rule.name, service=rule.service, interaction=entry.id, reason=str(error))

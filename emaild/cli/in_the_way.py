"""How the ways out of the conf files fare, and what keeps mails from going by one of them."""

from __future__ import annotations

from datetime import UTC, datetime

from emaild.cli.output import moment
from emaild.cli.state import no_daemon
from emaild.settings.load import Settings
from emaild.store import Store
from emaild.store.ways_out import FAILING, WayOutStatus

OFF = "is switched off (enable-client, enable-outbound-submitter)"


def ways_of(store: Store, settings: Settings) -> dict[str, WayOutStatus]:
    """All that there are, by name, as they were reported last; one that was set up a moment ago waits."""
    reported = store.ways_out.all()
    return {name: reported.get(name) or WayOutStatus(name=name, state="waiting") for name in settings.ways_out}


def in_the_way(name: str, store: Store, settings: Settings) -> str:
    """What keeps mails from going by that way out just now, in words; empty where nothing does.

    That no daemon runs is told apart from this.
    """
    if words := unused(name, settings):
        return words
    way, now = ways_of(store, settings)[name], datetime.now(UTC)
    if no_daemon(settings) or way.next_try is None or way.next_try <= now:
        return ""
    if way.state == FAILING:
        why = (way.last_error or "").rstrip(".")
        return f"the way out {name} does not work at this moment, and is tried again at {moment(way.next_try)}: {why}"
    return f"the way out {name} reached its limit a minute: what nobody waits for goes on at {moment(way.next_try)}"


def unused(name: str, settings: Settings) -> str:
    """Why the conf files let no mail go by that way out; empty where they do."""
    if name not in settings.ways_out:
        return f"there is no way out {name} in the conf files"
    return "" if name in settings.used_ways_out() else f"the way out {name} {OFF}"

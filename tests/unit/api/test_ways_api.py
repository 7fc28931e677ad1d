"""How the ways out fare, over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from emaild.clock import SystemClock
from emaild.store.ways_out import WayOutStatus
from tests.clock import START
from tests.samples import outbound
from tests.unit.api.conftest import World

GONE, AWAY = "smtp-client-gone", "smtp-client-away"


def told(world: World) -> dict[str, dict[str, Any]]:
    return {way["name"]: way for way in world.client.get("/v1/ways").json()["ways"]}


def test_ways_are_told_with_what_waits_for_them(world: World) -> None:
    world.store.ways_out.report([])
    world.store.outbox.add(outbound(way_out=GONE), START)
    ways = told(world)
    assert list(ways) == sorted(ways)
    assert ways["smtp-client"]["state"] == "waiting"
    assert (ways[GONE]["state"], ways[GONE]["queued"]) == ("missing", 1)
    world.store.ways_out.report([WayOutStatus(name=GONE, state="failing", last_error="connect: away", next_try=START)])
    gone = told(world)[GONE]
    assert (gone["state"], gone["last_error"]) == ("failing", "connect: away")
    assert gone["next_try"] == gone["oldest"] == "2026-03-02T09:30:00.000Z"


def test_a_mail_out_has_its_subject_and_waits_for_its_way(world: World) -> None:
    waits = outbound(way_out=AWAY)
    world.store.outbox.add(waits, START)
    later = START.replace(year=START.year + 1)
    world.store.ways_out.report([WayOutStatus(name=AWAY, state="failing", next_try=later)])
    (listed,) = world.client.get("/v1/outbox", params={"way_out": AWAY}).json()["outbox"]
    assert listed["subject"].startswith("Answer ")
    assert listed["next_attempt"] == "2027-03-02T09:30:00.000Z"
    one = world.client.get(f"/v1/outbox/{waits.id}").json()
    assert (one["subject"], one["next_attempt"]) == (listed["subject"], listed["next_attempt"])
    held = world.client.post(f"/v1/outbox/{waits.id}/hold").json()
    assert (held["subject"], held["next_attempt"]) == (listed["subject"], None)


def test_retrying_by_a_filter_says_which_ways_it_wakes(world: World) -> None:
    world.store.outbox.add(outbound(way_out=AWAY), START)
    later = SystemClock().now() + timedelta(minutes=5)
    world.store.ways_out.report([WayOutStatus(name=AWAY, state="failing", next_try=later)])
    answer = world.client.post("/v1/outbox/retry", json={"way_out": AWAY, "state": ["QUEUED"]}).json()
    assert (answer["being_sent"], answer["woken"]) == (0, [AWAY])

"""Which parts are stopped, started and kept when settings change: by value."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from emaild.supervisor import Plan, Supervisor, plan


@dataclass(frozen=True)
class Section:
    name: str
    value: int = 0


@dataclass
class Running:
    """A part that says what happens to it."""

    section: Section
    log: list[str]

    def stop(self) -> None:
        self.log.append(f"stop {self.section.name}={self.section.value}")


@pytest.fixture
def log() -> list[str]:
    return []


@pytest.fixture
def supervisor(log: list[str]) -> Supervisor[Section]:
    def start(section: Section) -> Running:
        log.append(f"start {section.name}={section.value}")
        return Running(section, log)

    return Supervisor(start)


def snapshot(**values: int) -> dict[str, Section]:
    return {name: Section(name, value) for name, value in values.items()}


def test_a_plan_is_made_by_value() -> None:
    made = plan(snapshot(same=1, changed=1, gone=1), snapshot(new=1, changed=2, same=1))
    assert made == Plan(
        stop=frozenset({"changed", "gone"}),
        start={"new": Section("new", 1), "changed": Section("changed", 2)},
        keep=frozenset({"same"}),
    )


@pytest.mark.parametrize(("old", "new"), [({}, {}), (snapshot(a=1, b=2), snapshot(b=2, a=1))])
def test_equal_snapshots_change_nothing(old: dict[str, Section], new: dict[str, Section]) -> None:
    made = plan(old, new)
    assert (made.stop, made.start, made.keep) == (frozenset(), {}, frozenset(old))


def test_only_what_changed_is_touched(supervisor: Supervisor[Section], log: list[str]) -> None:
    supervisor.apply(snapshot(a=1, b=1, c=1))
    log.clear()
    change = supervisor.apply(snapshot(a=1, b=2, d=1))
    assert sorted(log) == ["start b=2", "start d=1", "stop b=1", "stop c=1"]
    assert change.keep == {"a"}


def test_the_old_part_is_stopped_before_the_new_one_starts(supervisor: Supervisor[Section], log: list[str]) -> None:
    supervisor.apply(snapshot(a=1))
    supervisor.apply(snapshot(a=2))
    assert log == ["start a=1", "stop a=1", "start a=2"]


def test_the_same_again_touches_nothing(supervisor: Supervisor[Section], log: list[str]) -> None:
    supervisor.apply(snapshot(a=1))
    log.clear()
    assert supervisor.apply(snapshot(a=1)).keep == {"a"}
    assert log == []


def test_nothing_wanted_stops_everything(supervisor: Supervisor[Section], log: list[str]) -> None:
    supervisor.apply(snapshot(a=1, b=1))
    log.clear()
    supervisor.apply({})
    assert sorted(log) == ["stop a=1", "stop b=1"]
    assert dict(supervisor.sections) == {}


def test_what_runs_is_known_and_nobody_else_can_change_it(supervisor: Supervisor[Section]) -> None:
    wanted = snapshot(a=1)
    supervisor.apply(wanted)
    wanted["b"] = Section("b")
    assert dict(supervisor.sections) == snapshot(a=1)
    with pytest.raises(TypeError):
        supervisor.sections["b"] = Section("b")  # type: ignore[index]

"""The suite: its modules, its tables, what is made of them."""

from __future__ import annotations

import inspect
import json
import re
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

from tests.benchmarks import outbound, suite
from tests.benchmarks.figures import as_json, as_markdown, from_json, median, show
from tests.unit.benchmarks.runs import RUN, TABLES, benchmarks, run, table


def test_a_run_comes_back_from_its_json(source: Path) -> None:
    assert suite.run_of(json.loads(source.read_text())) == RUN
    assert from_json(json.loads(json.dumps(as_json(TABLES)))) == TABLES


def test_what_was_measured_again_stands_for_what_was_before() -> None:
    before = run("2026-11-21", table("A"), table("B"), modules=("queued",), failed=("outbound", "api"))
    after = run("2026-11-22", table("A", "Again."), modules=("outbound",), failed=("inbound",))
    assert suite.newest([before, after]) == [table("A", "Again."), table("B")]
    assert suite.without_figures([before, after]) == ["api", "inbound"]


def test_growth_is_drawn(source: Path, tmp_path: Path) -> None:
    done = benchmarks("--from", source, "--plots", tmp_path / "plots")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "plots" / "inbound.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", suite.MODULES)
def test_every_module_of_the_suite_can_be_measured(name: str) -> None:
    module = import_module(f"tests.benchmarks.{name}")
    parameters = inspect.signature(module.measure).parameters
    assert next(iter(parameters)) == "rounds"
    assert parameters["quick"].default is False
    assert callable(module.main)


def test_words_choose_modules() -> None:
    assert suite.chosen(["bound"]) == ["inbound", "outbound"]
    assert suite.chosen([]) == [*suite.MODULES]


def test_a_module_that_fails_is_told_of_and_stops_no_other() -> None:
    found = dict(suite.run(["absent", "date_format"], 1, quick=True))
    assert found["absent"] is None
    assert found["date_format"]


def test_each_aim_of_outbound_has_its_own_figure_and_verdict() -> None:
    rates = {outbound.LIMIT: 4000.0, outbound.RIVAL: 500.0, "emaild, 1 program": 800.0, "emaild, 8 programs": 700.0}
    found = outbound._compared([median(name, "mails/s", (rate,)) for name, rate in rates.items()])
    assert {figure.name: (figure.value, figure.ratio, figure.reached) for figure in found} == {
        outbound.LIMIT: (4000, 8, None),
        outbound.RIVAL: (500, None, None),
        "emaild, 1 program": (800, 1.6, True),
        "emaild, 8 programs": (700, 1.4, False),
        f"emaild, 1 program, of {outbound.LIMIT}": (20, None, False),
        f"emaild, 8 programs, of {outbound.LIMIT}": (17.5, None, False),
    }


def test_what_is_printed_says_whether_aims_are_reached(capsys: pytest.CaptureFixture[str]) -> None:
    show(TABLES)
    lines = [re.sub(r" +", " ", line.strip()) for line in capsys.readouterr().out.splitlines()]
    assert "emaild 150 mails/s 1.50 × rival above 1.25 times rival: reached" in lines
    assert "start 0.123 s under 0.1 s: missed" in lines


def test_what_the_host_gave_to_others_is_told_of_where_it_matters(capsys: pytest.CaptureFixture[str]) -> None:
    #                       user nice system idle waiting irq softirq steal guest
    assert suite.stolen((100, 0, 50, 900, 10, 1, 2, 40, 0), (170, 0, 60, 990, 20, 1, 2, 60, 0)) == 20.0
    assert suite.stolen((100, 0, 50, 900, 10, 1, 2, 40), (100, 0, 50, 990, 10, 1, 2, 40)) == 0.0
    told = "The machine's host gave 20.0 % of the processors' time to others meanwhile"
    for stolen, lines in ((0.4, 0), (20.0, 1)):
        found = replace(TABLES[0], stolen=stolen)
        show([found])
        assert capsys.readouterr().out.count(told) == lines
        assert as_markdown(found).count(f"{told}.") == lines


def test_the_machine_is_told_in_a_line() -> None:
    assert re.fullmatch(r"\S.*, \d+ cores, \d+ GiB, Linux \S+, \S+", suite.machine())

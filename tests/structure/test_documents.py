"""A fact stands once: documents are equal to what the code declares."""

import inspect
import re
from pathlib import Path

import pytest

from emaild.fault_points import FaultPoint
from emaild.log import events
from emaild.render.field_codes import OURS
from emaild.settings.describe.conf import as_conf
from emaild.settings.describe.contents import EVERYTHING
from emaild.settings.describe.markdown import as_markdown
from emaild.settings.describe.services import services_as_markdown
from emaild.settings.option import options, section_kind
from emaild.settings.reader import SECTIONS

TOP = Path(__file__).parents[2]
README = (TOP / "README.md").read_text(encoding="utf-8")
CAMEL = {"useProxy", "socksVersion"}  # Genesys's own spelling
GENESYS_EVENTS = {30001, 30002}
SAYINGS = [
    function for _, function in inspect.getmembers(events, inspect.isfunction) if function.__module__ == events.__name__
]
DECLARED = [(section_kind(kind).name, option) for kind in SECTIONS for option in options(kind)]


def block(name: str) -> str:
    """What stands in the README between two marks."""
    return README.split(f"<!-- {name} -->\n")[1].split(f"<!-- /{name} -->")[0]


def test_the_commented_conf_is_made_from_the_declarations() -> None:
    """Made anew by: emaild options --format conf > conf/emaild.conf"""
    assert (TOP / "conf" / "emaild.conf").read_text(encoding="utf-8") == as_conf(EVERYTHING)


def test_the_readmes_options_are_the_declared_ones() -> None:
    """Made anew by: emaild options --format markdown"""
    assert block("options") == as_markdown(EVERYTHING)


def test_the_readmes_services_are_the_declared_ones() -> None:
    assert block("services") == services_as_markdown()


def test_the_readmes_states_are_the_fault_points() -> None:
    rows = [tuple(cell.strip() for cell in line.split("|")[1:3]) for line in block("states").splitlines()[2:]]
    assert rows == [(point.label, point.meaning) for point in FaultPoint]


def test_the_readmes_functions_of_field_codes_are_those_of_ours() -> None:
    rows = [f"| {one.name}({one.arguments}) | {one.line} |" for one in OURS]
    assert block("field-codes").splitlines() == ["| function | what it gives |", "|---|---|", *rows]


def test_every_event_has_a_meaning_a_number_and_a_name_of_its_own() -> None:
    said = []
    for function in SAYINGS:
        assert function.__doc__, function.__name__
        found = re.search(r"(\d{5}),\s*\"([a-z_.]+)\"", inspect.getsource(function))
        assert found, function.__name__
        assert found[2].replace(".", "_") == function.__name__
        said.append((int(found[1]), found[2]))
    assert len({number for number, _ in said}) == len(said)
    assert all(number in GENESYS_EVENTS or number >= 30100 for number, _ in said)


@pytest.mark.parametrize(("section", "option"), DECLARED, ids=lambda value: getattr(value, "name", value))
def test_every_option_is_fully_declared(section: str, option: object) -> None:
    declared = next(known for name, known in DECLARED if name == section and known is option)
    assert declared.name in CAMEL or re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", declared.name)
    assert declared.help.endswith(".")
    assert declared.parser.expects
    if declared.default is not None:
        declared.parser.read(declared.default)


def test_the_first_two_lines_in_code_fences_are_the_demo_and_the_tests() -> None:
    fenced = [
        line
        for fence in re.findall(r"^```\w*\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
        for line in fence.splitlines()
    ]
    assert fenced[0].endswith(".venv/bin/emaild demo")
    assert fenced[1].endswith(".venv/bin/pytest")


def test_the_readmes_options_without_effect_are_the_declared_ones() -> None:
    rows = [[cell.strip() for cell in line.split("|")[1:4]] for line in block("without-effect").splitlines()[2:]]
    told = {(section, name, why) for section, names, why in rows for name in names.split(", ")}
    assert told == {(section, option.name, option.idle) for section, option in DECLARED if option.idle}

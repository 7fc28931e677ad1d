"""Every reply of the table of causes, given by a server at the step where it comes, leads to its cause."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from emaild.diagnosis.table import rows
from emaild.settings.server import Security
from tests.adapters import test_every_cause_of_clouds as of_clouds
from tests.adapters import test_every_cause_of_ours as of_ours
from tests.adapters import test_every_cause_of_the_machine as of_the_machine
from tests.adapters.causes import NOT_BY_A_SERVER, SAMPLES, STEPS, Sample, at, cause
from tests.adapters.scripts import together
from tests.adapters.ways import Sinks
from tests.servers.scripted import Dialog, Scripted

HELLO = "250-mail.example.com"
OFFERED = {"AUTH": [HELLO, "250 AUTH PLAIN"], "STARTTLS": [HELLO, "250 STARTTLS"]}
USUAL = {"greeting": ["220 ready"], "DATA": ["354 go ahead"]}
WAYS: dict[str, dict[str, Any]] = {"AUTH": {"user": "joe"}, "STARTTLS": {"security_given": Security.START_TLS}}


class Refusing:
    """Plays an SMTP server that behaves but at one step, where it gives the reply of `sample`."""

    sample: Sample

    def __call__(self, dialog: Dialog) -> None:
        step = self.sample.at
        answers = {**USUAL, "EHLO": OFFERED.get(step, ["250 OK"]), step: lines(self.sample.reply)}
        answers["HELO"] = answers["EHLO"]
        command = "greeting"
        while True:
            answer = answers.get(command, ["250 OK"])
            together(dialog, *answer)
            if answer == USUAL["DATA"]:
                while dialog.readline() != b".":
                    pass
                command = "."
            else:
                command = dialog.readline().partition(b" ")[0].decode().upper()


def lines(reply: str) -> list[str]:
    """A reply as it goes over the wire: its code before each line, the last of them with a blank (RFC 5321 §4.2.1)."""
    code = reply[:3]
    *first, last = re.split(rf"(?:^| ){code}[- ]", reply)[1:]
    return [*(f"{code}-{line}" for line in first), f"{code} {last}"]


@pytest.fixture(scope="module")
def refusing() -> Refusing:
    return Refusing()


@pytest.fixture(scope="module")
def port(refusing: Refusing) -> Iterator[int]:
    """Where that server listens."""
    with Scripted(refusing) as server:
        yield server.port


@pytest.mark.parametrize("sample", at(*STEPS))
def test_a_reply_of_the_table_leads_to_its_cause(refusing: Refusing, port: int, sample: Sample) -> None:
    refusing.sample = sample
    with Sinks() as sinks:
        assert cause(sinks(port, **WAYS.get(sample.at, {}))) == sample.cause


def test_every_cause_is_brought_about_by_a_server() -> None:
    assert {one.at for one in SAMPLES} <= {*STEPS, "Graph", "EWS", "emaild"}
    scenes = [*of_ours.SCENES, *of_clouds.SCENES, *of_the_machine.BROUGHT_ABOUT]
    assert sorted(scenes) == sorted(str(one.values[0]) for one in at("emaild"))
    assert NOT_BY_A_SERVER.keys() <= {one.reply for one in SAMPLES}
    brought_about = {one.cause for one in SAMPLES if one.reply not in NOT_BY_A_SERVER}
    assert {row.diagnosis.cause for row in rows()} - brought_about == set()

"""`emaild show`, `emaild check` and `emaild options` as an operator runs them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from emaild.settings.property_map import PROPERTIES
from tests.daemon.harness import Emaild

CANARY = "canary-7f3a"
WITH_SECRETS = f"""\
[pop-client-a]
type = IMAP
server = localhost
mailbox = ann
password = {CANARY}1
client-certificate = /etc/hostname
client-key-password = {CANARY}2
mail.imap.proxy.host = localhost
mail.imap.proxy.user = u
mail.imap.proxy.password = {CANARY}3

[smtp-client]
server = localhost
user = bob
password = {CANARY}4
mail.smtp.proxy.host = localhost
mail.smtp.proxy.user = u
mail.smtp.proxy.password = {CANARY}5

[proxy]
useProxy = true
host = localhost
port = 1080
user = u
password = {CANARY}6

[secret-x]
password = {CANARY}7
"""
SECRETS = 7


@pytest.fixture
def daemon(tmp_path: Path) -> Emaild:
    made = Emaild(tmp_path)
    made.configure(WITH_SECRETS)
    return made


@pytest.mark.parametrize(
    "arguments",
    [
        ["check"],
        ["show"],
        ["show", "--json"],
        *(
            ["show", name, *form]
            for name in ("pop-client-a", "smtp-client", "proxy", "secret-x")
            for form in ([], ["--json"])
        ),
        ["options"],
        ["options", "--format", "json"],
        ["options", "secret-x", "--format", "conf"],
    ],
    ids=" ".join,
)
def test_no_secret_is_shown(daemon: Emaild, arguments: list[str]) -> None:
    done = daemon.command(*arguments)
    assert done.returncode == os.EX_OK, done.stderr
    assert done.stdout
    assert CANARY not in done.stdout + done.stderr


def test_every_secret_that_was_given_is_masked(daemon: Emaild) -> None:
    assert daemon.conf.read_text(encoding="utf-8").count(CANARY) == SECRETS
    rows = [row for name in ("pop-client-a", "smtp-client", "proxy", "secret-x") for row in daemon.listed("show", name)]
    assert sum(row.get("value") == "***" for row in rows) == SECRETS


def test_the_table_of_a_section_has_its_properties_and_ends_with_the_files(daemon: Emaild) -> None:
    (daemon.home / "conf.d").mkdir()
    further = daemon.home / "conf.d" / "more.conf"
    further.write_text("[pop-client-a]\nclient-id = a@b.example\n", encoding="utf-8")
    lines = daemon.command("show", "pop-client-a").stdout.splitlines()
    assert lines[0].split() == ["SECTION", "OPTION", "VALUE", "CATEGORY", "FROM"]
    assert lines[-4:] == ["", "Read in this order:", f"  {daemon.conf}", f"  {further}"]
    cells = {line.split()[1]: line for line in lines[1:-4]}
    assert {one.name for one in PROPERTIES.values() if one.group == "imap"} <= cells.keys()
    assert cells["mail.imap.host"].split()[2:4] == ["localhost", "controlled"]
    assert f"server ({daemon.conf}:" in cells["mail.imap.host"]
    assert cells["client-id"].rstrip().endswith(f"{further}:2")


def test_json_has_a_line_a_value_and_a_line_a_file(daemon: Emaild) -> None:
    *rows, file = daemon.listed("show", "smtp-client")
    assert all(row.keys() == {"section", "option", "value", "category", "origin"} for row in rows)
    assert file == {"file": str(daemon.conf), "order": 1}
    assert next(row for row in rows if row["option"] == "mail.smtp.port")["category"] == "controlled"
    assert not any(row.get("option", "").startswith("mail.") for row in daemon.listed("show"))


def test_check_counts_and_then_warns(daemon: Emaild) -> None:
    daemon.configure(
        WITH_SECRETS,
        "[pop-client]\nserver = localhost\nmailbox = m\npassword = x\nmail.imap.peek = true\nmail.imap.fetchsize = 9\n",
    )
    daemon.conf.chmod(0o600)
    done = daemon.command("check")
    assert done.returncode == os.EX_OK
    warnings = done.stderr.splitlines()
    assert done.stdout == f"{daemon.conf}: good (2 mailboxes, 1 way out, {len(warnings)} warnings)\n"
    assert any("[pop-client] mail.imap.peek: " in line for line in warnings)
    assert all(line.startswith(f"{daemon.conf}:") and line.endswith("(warning)") for line in warnings)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (["options", "mail.imap.fetchsise"], ["no property mail.imap.fetchsise", "mail.imap.fetchsize"]),
        (["options", "zzz"], ["no section zzz", "pop-client", "properties"]),
        (["show", "zzz"], ["no section zzz", "pop-client-a"]),
    ],
    ids=" ".join,
)
def test_what_is_not_there_is_said_in_one_line(daemon: Emaild, asked: list[str], words: list[str]) -> None:
    done = daemon.command(*asked)
    assert (done.returncode, done.stdout) == (os.EX_USAGE, "")
    (line,) = done.stderr.splitlines()
    assert all(word in line for word in words), line


def test_options_of_a_property_a_section_and_all_properties(daemon: Emaild) -> None:
    def named(*arguments: str) -> set[str]:
        lines = daemon.command("options", *arguments, "--format", "json").stdout.splitlines()
        described = [json.loads(line) for line in lines]
        return {one.get("option") or one.get("property") or one["section"] for one in described}

    assert named("mail.imap.fetchsize") == {"mail.imap.fetchsize"}
    assert named("mail") == named("properties") == {one.name for one in PROPERTIES.values()}
    assert named("pop-client") >= {"pop-client", "cycle-time", "password"}
    assert not named("pop-client") & named("mail")

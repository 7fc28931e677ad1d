"""The conf file of an account, and what an operator wrote into it."""

from __future__ import annotations

import os
from email.utils import parseaddr

import pytest

from emaild.provision import conf_files, conf_folder
from emaild.settings.secret import Secret
from emaild.settings.server import Security
from tests.unit.provision.email2.documents import (
    GUID,
    OTHER,
    WHOLE,
    Provisioned,
    atomic,
    each,
    item,
    parms,
    syncml,
    tell,
    uri,
    wap,
    whole,
)

NAME = f"email2-{GUID.lower()}"


def test_the_file_is_small_and_for_nobody_else(provision: Provisioned) -> None:
    provision.good(syncml(whole(AUTHREQUIRED="1", _8128000B="1")))
    text = provision.file.read_text()
    assert text.startswith("# ")
    assert [line for line in text.splitlines() if line.startswith("[")] == [
        f"[{NAME}]",
        f"[pop-client-{NAME}]",
        f"[smtp-client-{NAME}]",
    ]
    assert len(text.splitlines()) < 45
    assert text.count(WHOLE["AUTHSECRET"]) == 2
    assert os.stat(provision.file).st_mode & 0o077 == 0
    assert provision.settings().warnings == ()
    provision.conf.chmod(0o644)
    provision.good(syncml(whole(guid=OTHER, AUTHNAME="bo")))
    assert all(os.stat(path).st_mode & 0o007 == 0 for path in provision.file.parent.iterdir())


def test_options_remarks_and_sections_of_an_operator_stay(provision: Provisioned) -> None:
    provision.good(syncml(whole(LINGER="60", RETRIEVE="512")))
    text = provision.file.read_text().replace("type = IMAP\n", "type = IMAP\n# for sales\nendpoint = sales\n")
    provision.file.write_text(text + "\n# ours\n[agent-ann]\nfirst-name = Ann\n")
    changed = provision.good(
        syncml(atomic(each("Replace", {"LINGER": "30", "DWNDAY": "7"}), tell("Delete", item(uri("RETRIEVE")))))
    )
    assert {*changed.codes} == {200}
    box = provision.mailbox()
    assert (box.endpoint, box.cycle_time, box.download_days, not box.retrieve_limit) == ("sales", 1800, 7, True)
    text = provision.file.read_text()
    assert "# for sales\nendpoint = sales\n" in text
    assert text.endswith("\n# ours\n[agent-ann]\nfirst-name = Ann\n")
    provision.good(syncml(tell("Delete", item(uri()))))
    assert provision.file.read_text().endswith("# ours\n[agent-ann]\nfirst-name = Ann\n")
    assert WHOLE["AUTHSECRET"] not in provision.file.read_text()
    assert not provision.settings().mailboxes


def test_an_edit_that_says_nothing_new_leaves_the_file_alone(provision: Provisioned) -> None:
    provision.good(syncml(whole()))
    before = os.stat(provision.file)
    same = {name: value for name, value in WHOLE.items() if not name.startswith("SERVICE")}
    provision.good(syncml(atomic(each("Replace", same))))
    assert (os.stat(provision.file).st_ino, os.stat(provision.file).st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_without_a_password_nothing_is_read_until_one_comes(provision: Provisioned) -> None:
    answer = provision.good(syncml(whole(AUTHSECRET=None, AUTHREQUIRED="1")))
    assert "no AUTHSECRET has come" in answer.err
    assert "nothing can be sent" in answer.err
    assert (len(provision.settings().mailboxes), len(provision.settings().ways_out)) == (0, 0)
    provision.good(syncml(atomic(each("Replace", {"AUTHSECRET": "pw"}))))
    assert (provision.mailbox().password.reveal(), provision.way_out().user) == ("pw", "ann")
    provision.good(syncml(tell("Delete", item(uri("AUTHSECRET")))))
    assert "pw" not in provision.file.read_text().split()


def test_a_password_that_an_operator_put_elsewhere_stays_there(provision: Provisioned) -> None:
    provision.good(syncml(whole()))
    secret = provision.folder / "secret"
    secret.write_text("elsewhere\n")
    secret.chmod(0o600)
    text = provision.file.read_text().replace(WHOLE["AUTHSECRET"], f"file:{secret}")
    provision.file.write_text(text)
    provision.good(syncml(atomic(each("Replace", {"LINGER": "30"}))))
    assert provision.mailbox().password.reveal() == "elsewhere"
    assert f"password = file:{secret}" in provision.file.read_text()


def test_nodes_that_an_operator_broke_are_named_before_they_do_harm(provision: Provisioned) -> None:
    provision.good(syncml(whole(LINGER="30")))
    text = provision.file.read_text()
    provision.file.write_text(text.replace("LINGER = 30", "LINGER = 31"))
    answer = provision(syncml(atomic(each("Replace", {"NAME": "Ann"}))))
    assert answer.codes == [507, 216]
    assert "LINGER: expected 0, 15, 30, 60 or 120, found '31'" in answer.err
    provision.good(syncml(atomic(each("Replace", {"LINGER": "60"}))))
    assert provision.mailbox().cycle_time == 3600


@pytest.mark.parametrize("line", ["LINGER = 31", "NODE = 1", "AUTHSECRET = hunter2"])
def test_check_finds_wrong_nodes(provision: Provisioned, line: str) -> None:
    provision.good(syncml(whole()))
    provision.file.write_text(provision.file.read_text().replace("ACCOUNTTYPE = Email", f"ACCOUNTTYPE = Email\n{line}"))
    answer = provision.run("--export", f"pop-client-{NAME}")
    assert answer.exit_code == os.EX_CONFIG
    assert f"[{NAME}] {line.partition(' ')[0]}: " in answer.err
    assert "hunter2" not in answer.err


def test_nothing_is_done_while_somebody_else_changes_files(
    provision: Provisioned, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conf_folder, "PATIENCE", 0.2)
    with conf_files.changing(provision.conf):
        answer = provision(syncml(whole()))
        assert (answer.exit_code != 0, answer.out) == (True, "")
        assert "another command changes files there" in answer.err
        assert provision.files() == {}
    provision.good(syncml(whole()))


def test_a_file_that_cannot_be_changed_fails_the_document(provision: Provisioned) -> None:
    provision.good(syncml(whole()))
    kept = provision.file.rename(provision.folder / "elsewhere.conf")
    provision.file.symlink_to(kept)
    before = kept.read_bytes()
    answer = provision(syncml(atomic(each("Replace", {"NAME": "Ann"}))))
    assert answer.codes == [507, 216]
    assert "symbolic link" in answer.err
    assert kept.read_bytes() == before


@pytest.mark.parametrize(
    ("node", "kept", "spelled"),
    [
        ("SERVICETYPE", "IMAP4", "imap4"),
        ("TAGPROPS/8128000B", "1", "true"),
        ("TAGPROPS/812C000B", "1", "TRUE"),
        ("SMTPALTENABLED", "TRUE", "true"),
    ],
)
def test_a_node_that_an_operator_spelled_otherwise_means_the_same(
    provision: Provisioned, node: str, kept: str, spelled: str
) -> None:
    alternative = {"SMTPALTAUTHNAME": "bo", "SMTPALTDOMAIN": "", "SMTPALTPASSWORD": "other", "SMTPALTENABLED": "TRUE"}
    provision.good(syncml(whole(**alternative, AUTHREQUIRED="1", _8128000B="1", _812C000B="1")))
    before = provision.file.read_text()
    assert f"{node} = {kept}\n" in before
    provision.file.write_text(before.replace(f"{node} = {kept}\n", f"{node} = {spelled}\n"))
    provision.settings()
    provision.good(syncml(atomic(each("Replace", {"LINGER": "30"}))))
    assert provision.mailbox().security is Security.ENCRYPTED
    assert (provision.way_out().security, provision.way_out().user) == (Security.ENCRYPTED, "bo")
    assert provision.way_out().password == Secret("other")


@pytest.mark.parametrize(
    ("node", "wrong", "value"),
    [
        ("SYNCINGCONTENTTYPES", "zz", "0x2"),
        ("INSERVER", "a b", "imap.contoso.example"),
        ("OUTSERVER", ":", "smtp.contoso.example"),
        ("DWNDAY", "8", "7"),
    ],
)
def test_a_node_that_an_operator_broke_is_mended_by_a_document(
    provision: Provisioned, node: str, wrong: str, value: str
) -> None:
    """What it became is gone then, too: here that the mailbox rests; and what became of others is not left over."""
    provision.good(syncml(whole(SYNCINGCONTENTTYPES="0x4", DWNDAY="7", INSERVER="h:1143", OUTSERVER="h:1587")))
    lines = provision.file.read_text().splitlines()
    broken = [f"{node} = {wrong}" if line.startswith(f"{node} = ") else line for line in lines]
    place = broken.index("type = IMAP")
    provision.file.write_text("\n".join([*broken[:place], "endpoint = sales", *broken[place:]]))
    if node == "SYNCINGCONTENTTYPES":
        assert "found 'zz'" in provision(syncml(atomic(each("Replace", {"LINGER": "30"})))).err
    good = {"SYNCINGCONTENTTYPES": "0x2", "INSERVER": "imap.contoso.example", "OUTSERVER": "smtp.contoso.example"}
    provision.good(syncml(atomic(each("Replace", {**good, node: value}))))
    box = provision.mailbox()
    assert (box.enable_client, box.server, box.port_given, box.endpoint) == (
        True,
        "imap.contoso.example",
        None,
        "sales",
    )
    assert (provision.way_out().server, provision.way_out().port_given) == ("smtp.contoso.example", None)
    assert box.download_days == 7


def test_a_mailbox_that_another_section_reads_is_not_set_up_once_more(provision: Provisioned) -> None:
    mine = "\n[pop-client-mine]\ntype = IMAP\nserver = imap.contoso.example\nmailbox = ann\npassword = x\n"
    conf = provision.conf.read_text()
    provision.conf.write_text(conf + mine)
    answer = provision(syncml(whole()))
    assert (answer.exit_code, answer.codes) == (65, [507, *[216] * len(WHOLE)])
    assert "[pop-client-mine] reads that mailbox already; nothing was changed" in answer.err
    by_parm = provision(wap(parms(WHOLE)))
    assert (by_parm.exit_code, "[pop-client-mine] reads that mailbox already" in by_parm.err) == (65, True)
    assert provision.files() == {}
    provision.good(syncml(whole(SYNCINGCONTENTTYPES="0x1")))  # which is not read
    assert provision(syncml(atomic(each("Replace", {"SYNCINGCONTENTTYPES": "0x3"})))).codes == [507, 216]

    provision.conf.write_text(conf)
    provision.good(syncml(whole()))
    provision.conf.write_text(conf + mine)
    provision.good(syncml(whole(AUTHSECRET="new")))  # what a person set up beside it keeps no password out
    assert provision.mailbox().password.reveal() == "new"


def test_a_mailbox_may_change_hands_in_one_document(provision: Provisioned) -> None:
    provision.good(syncml(whole()))
    moved = atomic(tell("Delete", item(uri())), each("Add", WHOLE, OTHER))
    assert {*provision.good(syncml(moved)).codes} == {200}
    assert [*provision.settings().mailboxes] == [f"pop-client-email2-{OTHER}"]


@pytest.mark.parametrize("name", ["a <x@y.z>", "ann@contoso.example", 'Ann "@" \\ Smith', "Müller, Ann (at work)"])
def test_a_name_of_any_form_is_the_senders(provision: Provisioned, name: str) -> None:
    answer = provision.good(syncml(whole(NAME=name)))
    way = provision.way_out()
    assert way.sender_override
    assert "sender-override" not in answer.err
    assert parseaddr(way.sender_override) == (name, "ann@contoso.example")

"""Documents that were not meant well, and such that are none: refused with one line, and nothing is changed."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from emaild.provision.email2.answer import answer
from emaild.provision.email2.client import provisioned
from emaild.provision.email2.commands import package_of
from emaild.provision.email2.drafts import Account
from emaild.provision.email2.outcomes import outcomes
from emaild.provision.email2.tree import DEPTH, ELEMENTS, LARGEST, DocumentUnreadable, tree
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

LAUGHS = "".join(f'<!ENTITY a{level + 1} "{f"&a{level};" * 10}">' for level in range(9))
BOMB = f'<!DOCTYPE SyncML [<!ENTITY a0 "ha">{LAUGHS}]>'
BLOW_UP = f'<!DOCTYPE SyncML [<!ENTITY a "{"x" * 100_000}">]>'
DEFAULTS = f'<!DOCTYPE SyncML [<!ATTLIST Item a CDATA "{"x" * 100_000}">]>'


GOOD = syncml(whole(NAME="Somebody")).decode()
NO_DTD, NO_XML = "declarations of its own", "the document is no XML"


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (BOMB + GOOD.replace("Somebody", "&a9;"), NO_DTD),
        (BLOW_UP + GOOD.replace("Somebody", "&a;" * 30_000), NO_DTD),
        (DEFAULTS + GOOD, NO_DTD),
        ('<!DOCTYPE SyncML [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x">%x;]>' + GOOD, NO_DTD),
        (GOOD.replace("<Final/>", "<a>" * DEPTH + "</a>" * DEPTH), f"over {DEPTH} in each other"),
        (GOOD.replace("<Final/>", "<a/>" * ELEMENTS), f"over {ELEMENTS} elements"),
        (GOOD + " " * LARGEST, "over 4 MiB"),
        ("", NO_XML),
        ("\0" * 100, NO_XML),
        ("\x03\x0b\x6a\x05", "WBXML"),
        ("<SyncML", NO_XML),
        ("<SyncML></SyncHdr>", NO_XML),
        ("<html/>", "expected SyncML or wap-provisioningdoc, found 'html'"),
        ("<SyncML/>", "has no SyncBody"),
        ("<wap-provisioningdoc/>", "expected the characteristic EMAIL2"),
        (f'<?xml version="1.0" encoding="utf-7"?>{GOOD}', NO_XML),
        (f'<?xml version="1.0" encoding="no-such"?>{GOOD}', NO_XML),
        (f'<?xml version="1.0" encoding="hex"?>{GOOD}', NO_XML),
        (GOOD.replace("Somebody", "\ud800"), NO_XML),
    ],
    ids=range(19),
)
def test_a_document_that_is_none_is_refused_in_one_line(provision: Provisioned, document: str, words: str) -> None:
    provision.good(syncml(whole(guid=OTHER)))
    before = provision.files()
    said = provision(document.encode("utf-8", "surrogatepass"))
    assert said.exit_code not in (0, 1)
    assert words in said.err
    assert len(said.err.splitlines()) == 1
    assert len(said.err) < 400
    assert provision.files() == before


def test_an_entity_never_reads_a_file(provision: Provisioned, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("pa55")
    provision.good(syncml(whole()))
    for kind in (
        f'<!DOCTYPE SyncML [<!ENTITY x SYSTEM "{tmp_path}/secret">]>',
        f'<!DOCTYPE SyncML SYSTEM "{tmp_path}/secret">',
    ):
        text = syncml(atomic(each("Replace", {"NAME": "@@"}))).decode().replace("@@", "&x;")
        said = provision((kind + text).encode())
        assert said.exit_code != 0
        assert "pa55" not in said.out + said.err + provision.file.read_text()


def test_a_document_type_that_only_names_its_dtd_is_passed_over(provision: Provisioned) -> None:
    """As documents of Client Provisioning begin; nobody answers there."""
    dtd = b'<!DOCTYPE wap-provisioningdoc PUBLIC "-//WAPFORUM//DTD PROV 1.0//EN" "http://127.0.0.1:9/prov.dtd">\n'
    provision.good(b'<?xml version="1.0"?>\n' + dtd + wap(parms(WHOLE)))


@pytest.mark.parametrize("node", ["NAME", "AUTHNAME", "AUTHSECRET", "SERVICENAME", "INSERVER", "CONTACTSSERVER"])
@pytest.mark.parametrize("end", ["\n", "\r", "&#13;&#10;", "\u2028", "\x85"])
def test_no_value_breaks_out_of_its_line(provision: Provisioned, node: str, end: str) -> None:
    provision.good(syncml(whole()))
    before = provision.files()
    text = syncml(atomic(each("Replace", {node: "x@@[emaild]@@include = /etc/x"}))).decode().replace("@@", end)
    assert provision(text.encode()).exit_code != 0
    assert provision.files() == before


@pytest.mark.parametrize("secret", ["file:/etc/shadow", "env:HOME", "credential:z", "***", " pa55", "pa55 ", "\tpa55"])
def test_no_password_makes_the_daemon_read_something_else(provision: Provisioned, secret: str) -> None:
    said = provision(syncml(whole(AUTHSECRET=secret)))
    assert said.codes[0] == 507
    assert "AUTHSECRET: expected " in said.err
    assert secret.strip() not in said.err.replace("file:, env: or credential:", "")


@pytest.mark.parametrize("secret", ["#x", ";x", "[x]", "a=b", '"x"', "x # y", "Füchse", "\\", "%(a)s", "x" * 1024, "-"])
def test_any_other_password_is_kept_as_it_is(provision: Provisioned, secret: str) -> None:
    provision.good(syncml(whole(AUTHSECRET=secret, AUTHREQUIRED="1")))
    way = provision.way_out()
    assert provision.mailbox().password.reveal() == secret
    assert way.password is not None
    assert way.password.reveal() == secret


@pytest.mark.parametrize("name", ['Ann "A" Other', "Other, Ann", "Ann \\ Other", "Änn", "a@b", "<ann>", "'", "(Ann)"])
def test_any_name_of_a_sender_leaves_a_good_configuration(provision: Provisioned, name: str) -> None:
    provision.good(syncml(whole(NAME=name)))
    assert provision.run("--export", provision.mailbox().name).exit_code == 0
    assert provision.good(syncml(tell("Get", item(uri("NAME"))))).results == {uri("NAME"): name}


def test_an_answer_never_plays_with_a_terminal(provision: Provisioned) -> None:
    said = provision(syncml(tell("Get", item("\x9b2J\u202e"), number="\x9b")))
    assert said.out.isascii()
    assert said.err.rstrip("\n").isprintable()
    assert "\x9b" not in said.out + said.err
    asked = provision.good(wap(parms({**WHOLE, "CONTACTSSERVER": "\u202ex"})))
    assert "\u202e" not in asked.out
    assert "\u202e" not in provision.good(wap('<parm-query name="CONTACTSSERVER"/>')).out


class Nowhere:
    """Accounts that are kept in memory, for a thousand documents."""

    def find(self, guid: str) -> Account | None:
        """None is there."""
        return None

    def keep(self, changed: object) -> None:
        """Take it."""


TAGS = ["Atomic", "Sequence", "Add", "Replace", "Delete", "Get", "Item", "Target", "LocURI", "Data", "Meta", "CmdID"]
TAGS += [f'characteristic type="{kind}"' for kind in ("EMAIL2", f"{{{GUID}}}", "TAGPROPS", "APPLICATION", "APPADDR")]
TAGS += [
    "nocharacteristic",
    'parm name="NAME" value="x"',
    'parm name="APPID" value="25"',
    'parm-query name="x"',
    "noparm",
]
TEXTS = ["", "1", "x", uri(), uri("NAME"), "node", "]]&gt;", "\U0001f4a9"]
ELEMENTS_OF_ALL_KINDS = some.recursive(
    some.sampled_from(TEXTS),
    lambda inner: some.builds(
        lambda tag, parts: f"<{tag}>{''.join(parts)}</{tag.split()[0]}>",
        some.sampled_from(TAGS),
        some.lists(inner, max_size=4),
    ),
    max_leaves=20,
)
ROOTS = [("<SyncML><SyncBody>", "</SyncBody></SyncML>"), ("<wap-provisioningdoc>", "</wap-provisioningdoc>")]


@given(some.sampled_from(ROOTS), some.lists(ELEMENTS_OF_ALL_KINDS, max_size=6))
def test_any_elements_are_answered(root: tuple[str, str], inner: list[str]) -> None:
    found = tree("".join([root[0], *inner, root[1]]).encode())
    if found.tag == "SyncML":
        package = package_of(found)
        assert answer(package, outcomes(package, Nowhere())).isascii()
    else:
        told = provisioned(found, Nowhere())
        assert all("\n" not in line for line in (*told.answers, *told.wrong))


@given(some.binary(max_size=300))
def test_any_bytes_are_refused_or_an_element(content: bytes) -> None:
    with contextlib.suppress(DocumentUnreadable):
        assert tree(content).tag

"""SyncML documents in the forms that device managers send, and the Status for each of their commands."""

from __future__ import annotations

import pytest

from tests.unit.provision.email2.documents import (
    GUID,
    OTHER,
    ROOT,
    WHOLE,
    Provisioned,
    atomic,
    each,
    item,
    syncml,
    tell,
    uri,
    whole,
)

FORMAT = '<Meta><Format xmlns="syncml:metinf">%s</Format></Meta>'
TYPED = '<Meta><Format xmlns="syncml:metinf">chr</Format><Type xmlns="syncml:metinf">text/plain</Type></Meta>'


def test_the_form_of_a_manager_that_replaces_everything(provision: Provisioned) -> None:
    """The account and TAGPROPS themselves, numbers as int, a word as the data of a node above others, no Meta."""
    base = f"{ROOT}/%7B{GUID}%7D"
    items = [
        item(base, "", FORMAT % "node"),
        *(item(f"{base}/{node}", value, FORMAT % "chr") for node, value in WHOLE.items()),
        item(f"{base}/AUTHREQUIRED", "1", FORMAT % "int"),
        item(f"{base}/LINGER", "30", FORMAT % "int"),
        item(f"{base}/SMTPALTENABLED", "0", FORMAT % "int"),
        item(f"{base}/ACCOUNTICON", "", FORMAT % "chr"),
        item(f"{base}/TAGPROPS", "node"),
        item(f"{base}/TAGPROPS/8128000B", "true", FORMAT % "bool"),
        item(f"{base}/TAGPROPS/812C000B", "1"),
    ]
    answer = provision.good(syncml(atomic(tell("Replace", *items))))
    assert answer.codes == [200] * (1 + len(items))
    box, way = provision.mailbox(), provision.way_out()
    assert (box.cycle_time, box.security, way.security) == (1800, "encrypted", "encrypted")
    assert way.enable_authentication
    got = provision.good(syncml(tell("Get", item(f"{base}/SMTPALTENABLED"), item(f"{base}/TAGPROPS"))))
    assert [*got.results.values()] == ["FALSE", "8128000B/812C000B"]


def test_the_form_that_adds_node_by_node_in_a_sequence(provision: Provisioned) -> None:
    adds = [tell("Add", item(uri(), None, FORMAT % "node"), number="10")]
    adds += [
        tell("Add", item(uri(node), value, TYPED), number=str(11 + at))
        for at, (node, value) in enumerate(WHOLE.items())
    ]
    answer = provision.good(syncml(atomic(tell("Sequence", *adds, number="3"))))
    assert answer.codes == [200] * (2 + len(adds))
    references = [one.findtext("CmdRef") for one in answer.root.iter("Status")]
    assert references == ["0", "2", "3", *(str(10 + at) for at in range(len(adds)))]


@pytest.mark.parametrize("namespace", ["", ' xmlns="SYNCML:SYNCML1.1"', ' xmlns="urn:of-somebody-else"'])
@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_versions_and_namespaces(provision: Provisioned, namespace: str, version: str) -> None:
    answer = provision.good(syncml(whole(), version=version, namespace=namespace))
    assert answer.root.findtext("SyncHdr/VerDTD") == version
    assert f'xmlns="SYNCML:SYNCML{version}"' in answer.out
    assert provision.mailbox().mailbox == "ann"


def test_a_format_of_the_whole_command(provision: Provisioned) -> None:
    good, bad = (
        atomic(each("Replace", given).replace("</CmdID>", f"</CmdID>{FORMAT % form}"))
        for given, form in ((WHOLE, "chr"), ({"NAME": "x"}, "bin"))
    )
    provision.good(syncml(good))
    assert provision(syncml(bad)).codes == [507, 415]


def test_prefixes_and_cdata(provision: Provisioned) -> None:
    text = syncml(whole(), namespace=' xmlns:s="SYNCML:SYNCML1.2"').decode()
    text = text.replace("<Data>hunter2 &amp; co</Data>", "<Data><![CDATA[hunter2 & <co>]]></Data>")
    for name in ("SyncML", "SyncBody", "Atomic", "Replace", "Item", "Data"):
        text = text.replace(f"<{name} ", f"<s:{name} ").replace(f"<{name}>", f"<s:{name}>")
        text = text.replace(f"</{name}>", f"</s:{name}>")
    provision.good(text.encode("utf-16"))
    assert provision.mailbox().password.reveal() == "hunter2 & <co>"


def test_a_body_alone_and_data_on_a_line_of_its_own(provision: Provisioned) -> None:
    body = whole().replace("<Data>", "<Data>\n    ").replace("</Data>", "\n  </Data>")
    provision.good(f"<SyncBody>{body}</SyncBody>".encode())
    assert provision.mailbox().password.reveal() == WHOLE["AUTHSECRET"]


def test_what_an_answer_refers_to(provision: Provisioned) -> None:
    sent = tell(
        "Get", item(uri("NAME")).replace("<Item>", "<Item><Source><LocURI>urn:x</LocURI></Source>"), number="x&amp;y"
    )
    root = provision(syncml(sent)).root
    assert [root.findtext(f"SyncHdr/{name}") for name in ("SessionID", "MsgID", "Target/LocURI", "Source/LocURI")] == [
        "7",
        "3",
        "https://manager.example/",
        "urn:us",
    ]
    header, status = root.iter("Status")
    assert [header.findtext(name) for name in ("MsgRef", "CmdRef", "Cmd", "TargetRef", "SourceRef", "Data")] == [
        "3",
        "0",
        "SyncHdr",
        "urn:us",
        "https://manager.example/",
        "200",
    ]
    assert [status.findtext(name) for name in ("CmdID", "CmdRef", "Cmd", "TargetRef", "SourceRef", "Data")] == [
        "2",
        "x&y",
        "Get",
        uri("NAME"),
        "urn:x",
        "404",
    ]
    assert root.find("SyncBody/Final") is not None


@pytest.mark.parametrize("root", ["./User/Vendor/MSFT/EMAIL2", "./Vendor/MSFT/EMAIL2", "Vendor/MSFT/EMAIL2"])
def test_the_accounts_of_the_user_are_the_same_by_either_root(provision: Provisioned, root: str) -> None:
    provision.good(syncml(whole()))
    got = provision.good(syncml(tell("Get", item(uri("AUTHNAME", root=root)))))
    assert got.results == {uri("AUTHNAME", root=root): "ann"}


@pytest.mark.parametrize(
    ("target", "code", "words"),
    [
        (uri("NAME", root="./Device/Vendor/MSFT/EMAIL2"), 405, "./User/Vendor/MSFT/EMAIL2 would be right"),
        ("./DevInfo/DevId", 404, "expected a node of ./Vendor/MSFT/EMAIL2"),
        (uri("PASSWORD"), 404, "has no node 'PASSWORD'"),
        (uri("TAGPROPS/81280000"), 404, "has no node"),
        (uri("NAME/NAME"), 404, "has no node"),
        (uri("NAME", OTHER), 404, "there is no account"),
        (uri("NAME"), 404, "there is no node"),
        (uri("AUTHNAME") + "?prop=ACL", 406, "expected ?list=Struct"),
        ("", 400, "names no Target"),
    ],
)
def test_addresses_that_lead_nowhere(provision: Provisioned, target: str, code: int, words: str) -> None:
    provision.good(syncml(whole()))
    answer = provision(syncml(tell("Get", item(target))))
    assert (answer.codes, answer.results) == ([code], {})
    assert words in answer.err
    assert answer.exit_code != 0


@pytest.mark.parametrize(
    ("command", "codes"),
    [
        (tell("Exec", item(uri())), [406]),
        (tell("Copy", item(uri())), [406]),
        (tell("Alert"), [406]),
        (tell("Frobnicate", item(uri())), [400]),
        (tell("Get"), [400]),
        (tell("Get", item(ROOT), number=""), [400]),
        (atomic(tell("Get", item(ROOT))), [507, 500]),
        (atomic(atomic(each("Add", WHOLE))), [507, 500]),
        (atomic(tell("Exec", item(uri())), each("Add", {"NAME": "x"})), [507, 406, 216]),
        (atomic(tell("Add", item(ROOT))), [507, 405]),
        (tell("Delete", item(ROOT)), [405]),
        (atomic(tell("Add", item(uri("NAME"), "x", FORMAT % "b64"))), [507, 415]),
        (atomic(tell("Add", item(uri("NAME"), "x", FORMAT % "node"))), [507, 415]),
        (atomic(tell("Add", item(uri(), "x", FORMAT % "chr"))), [507, 415]),
        (atomic(tell("Add", item(uri("NAME"), "x", "<Meta><Type>image/png</Type></Meta>"))), [507, 415]),
        (tell("Status") + tell("Results"), []),
        (atomic(), [200]),
    ],
)
def test_commands_that_are_not_carried_out(provision: Provisioned, command: str, codes: list[int]) -> None:
    provision.good(syncml(whole(guid=OTHER)))
    before = provision.files()
    answer = provision(syncml(command))
    assert answer.codes == codes
    assert (answer.exit_code != 0) is any(code >= 400 for code in codes)
    assert bool(answer.err) is any(code >= 400 for code in codes)
    assert provision.files() == before


def test_one_bad_document_version_does_nothing(provision: Provisioned) -> None:
    answer = provision(syncml(whole(), version="2.0"))
    assert [one.findtext("Data") for one in answer.root.iter("Status")] == ["505"]
    assert answer.exit_code != 0
    assert provision.files() == {}


def test_what_stands_alone_is_done_though_others_fail(provision: Provisioned) -> None:
    provision.good(syncml(whole(), whole(guid=OTHER, NAME="Bo")))
    answer = provision(
        syncml(tell("Delete", item(uri("DOMAIN")), item(uri())), atomic(each("Add", {"NAME": "x"}, OTHER)))
    )
    assert answer.codes == [404, 200, 507, 418]
    assert [*provision.files()] == [f"email2-{OTHER}.conf"]


def test_several_atomics_are_each_all_or_nothing(provision: Provisioned) -> None:
    answer = provision(syncml(whole(), whole(guid=OTHER, LINGER="1")))
    assert (answer.codes[0], answer.codes[-1]) == (200, 400)
    assert [*provision.files()] == [provision.file.name]


def test_a_get_tells_of_everything_that_is_kept(provision: Provisioned) -> None:
    kept = {
        "ACCOUNTICON": "res://AccountSettingsSharedRes{ScreenResolution}!%s.genericmail.png",
        "CELLULARONLY": "1",
        "CONTACTSSERVER": "contacts.example:443",
        "CALENDARSERVER": "",
        "CONTACTSSERVERREQUIRESSL": "TRUE",
        "CALENDARSERVERREQUIRESSL": "0",
        "CONTACTSSYNCSCHEDULE": "# = [x] ;",
        "CALENDARSYNCSCHEDULE": "Grüße",
    }
    provision.good(syncml(atomic(each("Add", {**WHOLE, **kept}))))
    got = provision.good(syncml(tell("Get", item(uri() + "?list=StructData")))).results
    assert {name: got[uri(name)] for name in kept} == kept
    assert got[uri()].split("/") == sorted({*WHOLE, *kept}, key=got[uri()].split("/").index)
    struct = provision.good(syncml(tell("Get", item(uri() + "?list=Struct")))).results
    assert {*struct} == {*got}
    assert {struct[uri(name)] for name in kept} == {""}

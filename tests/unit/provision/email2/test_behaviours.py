"""The behaviours of EMAIL2 that are listed for it, each by its number, as a device manager sees them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from emaild.settings.mailbox import AfterFetch, FirstFetch
from emaild.settings.server import Security
from tests.unit.provision.email2.documents import (
    GUID,
    OTHER,
    ROOT,
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
    wap_of,
    whole,
)


def change(**nodes: str) -> bytes:
    """A document that replaces nodes of the account; `_` stands for TAGPROPS/."""
    return syncml(atomic(each("Replace", {name.replace("_", "TAGPROPS/"): value for name, value in nodes.items()})))


def test_email2_01_the_root_is_got_and_its_accounts_are_not_listed(provision: Provisioned) -> None:
    provision.good(syncml(whole()))
    root = provision.good(syncml(tell("Get", item(ROOT))))
    assert (root.codes, root.results) == ([200], {ROOT: ""})
    listed = provision(syncml(tell("Get", item(f"{ROOT}?list=Struct"))))
    assert (listed.codes, listed.results) == ([405], {})
    assert listed.exit_code != 0
    asked = provision(wap_of('<characteristic-query type="EMAIL2"/>'))
    assert asked.exit_code != 0
    assert GUID.lower() not in (listed.out + listed.err + asked.out + asked.err).lower()


def test_email2_02_an_add_with_an_existing_guid_changes_nothing(provision: Provisioned) -> None:
    provision.good(syncml(whole("Add")))
    before = provision.files()
    again = provision(
        syncml(atomic(tell("Add", item(uri())), each("Add", {"NAME": "Somebody else"}), each("Add", WHOLE)))
    )
    assert again.codes == [507, 418, 216, *[418] * len(WHOLE)]
    assert provision.files() == before
    assert "is there already" in again.err


@pytest.mark.parametrize("spelled", ["{%s}", "0x7B%s0x7D", "0x7b%s0x7d", "%%7B%s%%7D", "%%7b%s%%7d", "0x7B%s%%7D"])
@pytest.mark.parametrize("lower", [False, True])
def test_email2_03_braces_are_needed_and_all_their_forms_name_one_account(
    provision: Provisioned, spelled: str, lower: bool
) -> None:
    provision.good(wap(parms(WHOLE)))
    wanted = spelled % (GUID.lower() if lower else GUID.upper())
    got = provision.good(syncml(tell("Get", item(f"{ROOT}/{wanted}/AUTHNAME"))))
    assert [*got.results.values()] == ["ann"]


@pytest.mark.parametrize("guid", [GUID, f"0x7B{GUID}", f"{{{GUID[:-1]}}}", "{}", f"{{{{{GUID}}}}}", "{../../etc/x}"])
def test_email2_03_a_guid_without_braces_is_refused(provision: Provisioned, guid: str) -> None:
    in_dm = provision(syncml(atomic(*(tell("Add", item(f"{ROOT}/{guid}/{name}", WHOLE[name])) for name in WHOLE))))
    in_cp = provision(wap(parms(WHOLE), guid))
    assert in_dm.codes[0] == 507
    assert 200 not in in_dm.codes
    assert 0 not in (in_dm.exit_code, in_cp.exit_code)
    assert "GUID" in in_dm.err
    assert "GUID" in in_cp.err
    assert provision.files() == {}


@pytest.mark.parametrize("name", ["Add", "Replace"])
def test_email2_04_changes_outside_of_an_atomic_are_refused(provision: Provisioned, name: str) -> None:
    answer = provision(syncml(each(name, WHOLE), tell("Sequence", each(name, WHOLE), number="9")))
    assert answer.codes == [*[405] * len(WHOLE), 200, *[405] * len(WHOLE)]
    assert provision.files() == {}
    assert f"{name} must stand in an Atomic" in answer.err


def test_email2_05_an_atomic_that_fails_half_way_leaves_no_account(provision: Provisioned) -> None:
    broken = provision(syncml(atomic(each("Add", WHOLE), each("Add", {"LINGER": "17"}), each("Add", WHOLE, OTHER))))
    assert broken.codes[0] == 507
    assert sorted({*broken.codes}) == [216, 400, 507]
    assert provision.files() == {}


def test_email2_05_a_failed_edit_leaves_the_old_file_byte_for_byte(provision: Provisioned) -> None:
    provision.good(syncml(whole(), whole(guid=OTHER)))
    provision.file.write_bytes(provision.file.read_bytes().replace(b"type = IMAP\n", b"type = IMAP\n\n# mine\n"))
    before = provision.files()
    edits = atomic(
        tell("Delete", item(uri("", OTHER))), each("Replace", {"NAME": "Ann", "AUTHSECRET": "new", "DWNDAY": "8"})
    )
    answer = provision(syncml(edits))
    assert answer.codes == [507, 216, 216, 216, 400]
    assert provision.files() == before


def test_email2_05_what_the_whole_configuration_refuses_is_taken_back(provision: Provisioned) -> None:
    provision.conf.write_text("[emaild]\n[smtp-client]\nserver = x\nfallback = smtp-client-nobody\n")
    answer = provision(syncml(whole()))
    assert answer.codes[0] == 507
    assert {*answer.codes[1:]} == {216}
    assert "smtp-client-nobody" in answer.err
    assert provision.files() == {}


@pytest.mark.parametrize("node", sorted({*WHOLE} - {"AUTHSECRET"}))
def test_email2_06_what_must_be_there_is_named_where_it_is_missing(provision: Provisioned, node: str) -> None:
    without = {name: value for name, value in WHOLE.items() if name != node}
    for document in (syncml(atomic(each("Add", without))), wap(parms(without))):
        answer = provision(document)
        assert answer.exit_code != 0
        assert [line for line in answer.err.splitlines() if "missing" in line] == [
            line for line in answer.err.splitlines() if f" {node}: it is missing" in line
        ]
        assert f" {node}: it is missing" in answer.err
    assert provision.files() == {}


def test_email2_06_all_that_is_missing_is_named_at_once(provision: Provisioned) -> None:
    answer = provision(wap(""))
    for node in {*WHOLE} - {"AUTHSECRET"}:
        assert f"{node}: it is missing" in answer.err


@pytest.mark.parametrize(("given", "good"), [("Email", True), ("VVM", True), ("email", True), ("Chat", False)])
def test_email2_07_the_type_of_an_account_is_email_or_vvm(provision: Provisioned, given: str, good: bool) -> None:
    answer = provision(syncml(whole(ACCOUNTTYPE=given)))
    assert (answer.exit_code == 0) is good
    assert ("ACCOUNTTYPE: expected Email or VVM, found 'Chat'" in answer.err) is not good
    assert len(answer.err.splitlines()) == 1, "what is wrong is not missing, too"


@pytest.mark.parametrize("required", [None, "0", "1"])
def test_email2_08_only_authrequired_makes_the_way_out_sign_in(provision: Provisioned, required: str | None) -> None:
    provision.good(syncml(whole(AUTHREQUIRED=required)))
    way = provision.way_out()
    assert way.enable_authentication is (required == "1")
    secret = way.password.reveal() if way.password else ""
    assert (way.user, secret) == (("ann", WHOLE["AUTHSECRET"]) if required == "1" else ("", ""))


@pytest.mark.parametrize(("given", "days"), [(None, None), ("-1", None), ("7", 7), ("14", 14), ("30", 30), ("", None)])
def test_email2_09_days_to_download(provision: Provisioned, given: str | None, days: int | None) -> None:
    provision.good(syncml(whole(DWNDAY=given)))
    box = provision.mailbox()
    assert box.download_days == days
    assert (box.first_fetch is FirstFetch.ALL) is bool(given)  # what is there already is meant, too


@pytest.mark.parametrize(
    ("given", "minutes"), [(None, 15), ("15", 15), ("30", 30), ("60", 60), ("120", 120), ("0", 0), ("", 15)]
)
def test_email2_09_the_interval_and_0_is_by_hand(provision: Provisioned, given: str | None, minutes: int) -> None:
    provision.good(syncml(whole(LINGER=given)))
    box = provision.mailbox()
    assert box.cycle_time == minutes * 60
    assert not box.idle  # else new mail would come at once, and by hand would not be by hand


@pytest.mark.parametrize("node", ["DWNDAY", "LINGER", "KEEPMAX", "RETRIEVE"])
@pytest.mark.parametrize("value", ["1", "-7", "07", "7.0", "0x7", "many", "7 14", "٧"])
def test_email2_09_10_11_other_numbers_are_refused(provision: Provisioned, node: str, value: str) -> None:
    answer = provision(syncml(whole(**{node: value})))
    assert answer.codes[-1] == 400
    assert f"{node}: expected " in answer.err
    assert provision.files() == {}


@pytest.mark.parametrize("given", ["0", "25", "50", "125", "250"])
def test_email2_10_keepmax_bounds_attachments_of_imap(provision: Provisioned, given: str) -> None:
    provision.good(syncml(whole(KEEPMAX=given)))
    assert (provision.mailbox().maximum_attachment_size or 0) == int(given) * 1024
    refused = provision(syncml(whole(guid=OTHER, KEEPMAX=given, SERVICETYPE="POP3")))
    assert refused.codes == [507, *[216] * len(WHOLE), 400], "the node at fault has a code of its own"
    assert f"Replace 5: {{{OTHER}}} KEEPMAX: it is for IMAP4 alone" in refused.err


@pytest.mark.parametrize("given", ["512", "1024", "2048", "5120", "20480", "51200"])
@pytest.mark.parametrize("protocol", ["IMAP4", "POP3"])
def test_email2_11_retrieve_bounds_mails(provision: Provisioned, given: str, protocol: str) -> None:
    provision.good(syncml(whole(RETRIEVE=given, SERVICETYPE=protocol)))
    assert provision.mailbox().retrieve_limit == int(given)


@pytest.mark.parametrize(
    ("node", "most"),
    [("INSERVER", 62), ("OUTSERVER", 62), ("SERVICENAME", 32), ("DOMAIN", 255), ("NAME", 255), ("REPLYADDR", 255)],
)
def test_email2_12_lengths(provision: Provisioned, node: str, most: int) -> None:
    long = ("a@" if node == "REPLYADDR" else "") + "x" * (most - (2 if node == "REPLYADDR" else 0))
    provision.good(syncml(whole(**{node: long})))
    refused = provision(syncml(whole(guid=OTHER, **{node: long + "x"})))
    assert f"{node}: expected at most {most} characters, found {most + 1}" in refused.err
    assert [*provision.files()] == [provision.file.name]


@pytest.mark.parametrize(
    ("protocol", "encrypted", "usual"),
    [("IMAP4", "1", 993), ("IMAP4", "0", 993), ("POP3", "1", 995), ("POP3", "0", 995)],
)
def test_email2_13_a_port_is_taken_and_left_out_the_usual_one(
    provision: Provisioned, protocol: str, encrypted: str, usual: int
) -> None:
    provision.good(syncml(whole(SERVICETYPE=protocol, _8128000B=encrypted, _812C000B=encrypted)))
    box, way = provision.mailbox(), provision.way_out()
    assert (box.server, box.port, way.server, way.port) == ("imap.contoso.example", usual, "smtp.contoso.example", 465)
    assert (box.transport.plain_port, way.transport.plain_port) == (usual - 850 if protocol == "IMAP4" else 110, 25)
    provision.good(change(INSERVER="[2001:db8::1]:1143", OUTSERVER="10.0.0.1:587"))
    box, way = provision.mailbox(), provision.way_out()
    assert (box.server, box.port, way.server, way.port) == ("2001:db8::1", 1143, "10.0.0.1", 587)


@pytest.mark.parametrize("wrong", ["x:0", "x:65536", "x:", ":1", "x:y", "x y", "https://x", "x:1:2", "u@x:1", "x;y"])
def test_email2_13_what_is_no_server_is_refused(provision: Provisioned, wrong: str) -> None:
    answer = provision(syncml(whole(INSERVER=wrong)))
    assert "INSERVER: expected a server's name, or name:port" in answer.err
    assert provision.files() == {}


def test_email2_14_what_may_be_deleted_and_added(provision: Provisioned) -> None:
    provision.good(syncml(whole(_8128000B="1", _812C000B="1")))
    assert provision(syncml(tell("Delete", item(uri("INSERVER"))))).codes == [405]
    assert provision(syncml(tell("Delete", item(uri("TAGPROPS/812C000B"))))).codes == [405]
    assert provision(syncml(tell("Delete", item(uri("TAGPROPS/8128000B"))))).codes == [200]
    refused = provision(syncml(atomic(each("Add", {"TAGPROPS/812C000B": "0"}))))
    assert (refused.codes, "does not allow Add; send Replace" in refused.err) == ([507, 405], True)
    assert provision(syncml(atomic(each("Add", {"TAGPROPS/8128000B": "0"})))).codes == [200, 200]
    assert provision(change(_812C000B="0")).codes == [200, 200]
    assert provision(syncml(tell("Delete", item(uri("OUTSERVER"))))).codes == [200]
    assert provision.settings().ways_out == {}
    assert provision.mailbox().address == WHOLE["REPLYADDR"]
    assert provision(syncml(tell("Delete", item(uri("REPLYADDR"))))).codes == [200]
    assert provision(syncml(tell("Get", item(uri("REPLYADDR"))))).codes == [404]
    assert provision(syncml(tell("Delete", item(uri("AUTHNAME"))))).codes == [500]
    assert provision(syncml(tell("Delete", item(uri("DOMAIN"))))).codes == [404]


@pytest.mark.parametrize("node", ["SERVICENAME", "SERVICETYPE"])
def test_email2_15_name_and_type_of_the_service_are_not_replaced(provision: Provisioned, node: str) -> None:
    provision.good(syncml(whole()))
    before = provision.files()
    other = {"SERVICENAME": "Fabrikam", "SERVICETYPE": "POP3"}[node]
    assert provision(syncml(atomic(each("Replace", {node: other})))).codes == [507, 405]
    by_parm = provision(wap(parms({node: other})))
    assert "remove the account and add it anew" in by_parm.err
    assert provision.files() == before
    provision.good(wap(parms({node: WHOLE[node]})))  # to say it again changes nothing
    anew = atomic(tell("Delete", item(uri())), each("Add", {**WHOLE, node: other}))
    assert {*provision.good(syncml(anew)).codes} == {200}
    assert provision.good(syncml(tell("Get", item(uri(node))))).results == {uri(node): other}


def test_email2_15_an_atomic_that_replaces_everything_may_be_sent_again_with_a_new_password(
    provision: Provisioned,
) -> None:
    provision.good(syncml(whole()))
    again = provision(syncml(whole(AUTHSECRET="rotated")))
    assert {*again.codes} == {200}
    assert provision.mailbox().password.reveal() == "rotated"
    other = provision(syncml(whole(AUTHSECRET="not yet", SERVICENAME="Fabrikam")))
    assert sorted({*other.codes}) == [216, 405, 507]
    assert provision.mailbox().password.reveal() == "rotated"


def test_email2_16_a_replace_makes_what_is_missing_on_the_way(provision: Provisioned) -> None:
    answer = provision.good(syncml(whole("Replace", _8128000B="1", _812C000B="1")))
    assert {*answer.codes} == {200}
    assert provision.mailbox().security is Security.ENCRYPTED
    provision.good(syncml(tell("Delete", item(uri("TAGPROPS")))))
    assert provision(syncml(tell("Get", item(uri("TAGPROPS"))))).codes == [404]
    provision.good(change(_812C000B="1"))
    assert provision.way_out().security is Security.ENCRYPTED


@pytest.mark.parametrize(
    ("action", "protocol", "after"),
    [
        ("1", "IMAP4", AfterFetch.DELETE),
        ("1", "POP3", AfterFetch.DELETE),
        ("2", "IMAP4", AfterFetch.MOVE),
        ("2", "POP3", AfterFetch.LEAVE),
        ("3", "IMAP4", AfterFetch.SEEN),
        ("any", "POP3", AfterFetch.LEAVE),
        (None, "IMAP4", AfterFetch.SEEN),
    ],
)
def test_email2_17_what_becomes_of_mails_on_the_server(
    provision: Provisioned, action: str | None, protocol: str, after: AfterFetch
) -> None:
    provision.good(syncml(whole(SERVERDELETEACTION=action, SERVICETYPE=protocol)))
    box = provision.mailbox()
    assert box.after is after
    assert box.after_fetch_folder == ("\\Trash" if after is AfterFetch.MOVE else "")


ALTERNATIVE = {"SMTPALTAUTHNAME": "relay", "SMTPALTDOMAIN": "corp", "SMTPALTPASSWORD": "other"}


def test_email2_18_other_credentials_for_sending_are_used_where_enabled(provision: Provisioned) -> None:
    provision.good(syncml(whole(AUTHREQUIRED="1", SMTPALTENABLED="TRUE", DOMAIN="home", **ALTERNATIVE)))
    way, box = provision.way_out(), provision.mailbox()
    assert way.password is not None
    assert (way.user, way.password.reveal()) == ("corp\\relay", "other")
    assert (box.mailbox, box.password.reveal()) == ("home\\ann", WHOLE["AUTHSECRET"])
    provision.good(change(SMTPALTENABLED="FALSE"))
    way = provision.way_out()
    assert way.password is not None
    assert (way.user, way.password.reveal()) == ("home\\ann", WHOLE["AUTHSECRET"])
    provision.good(change(SMTPALTENABLED="TRUE"))  # they were kept meanwhile
    way = provision.way_out()
    assert way.password is not None
    assert (way.user, way.password.reveal()) == ("corp\\relay", "other")


def test_email2_18_they_wait_until_the_way_out_signs_in_at_all(provision: Provisioned) -> None:
    provision.good(syncml(whole(SMTPALTENABLED="TRUE", **ALTERNATIVE)))
    assert not provision.way_out().enable_authentication
    provision.good(change(AUTHREQUIRED="1"))
    way = provision.way_out()
    assert way.password is not None
    assert (way.user, way.password.reveal()) == ("corp\\relay", "other")


@pytest.mark.parametrize("missing", [*ALTERNATIVE])
@pytest.mark.parametrize("enabled", ["TRUE", "FALSE", None])
def test_email2_18_a_part_of_them_is_an_error(provision: Provisioned, missing: str, enabled: str | None) -> None:
    part = {name: value for name, value in ALTERNATIVE.items() if name != missing}
    answer = provision(syncml(whole(AUTHREQUIRED="1", SMTPALTENABLED=enabled, **part)))
    to_blame = "SMTPALTENABLED" if enabled else next(iter(part))
    sent = [one.findtext("TargetRef", "").rpartition("/")[2] for one in answer.root.iter("Status")]
    assert [sent[at + 1] for at, code in enumerate(answer.codes) if code == 400] == [to_blame]
    assert answer.codes[0] == 507
    assert f"Replace 5: {{{GUID.lower()}}} {missing}: it is missing, and " in answer.err
    assert provision.files() == {}


def test_email2_18_enabled_with_nothing_is_an_error(provision: Provisioned) -> None:
    answer = provision(syncml(whole(SMTPALTENABLED="TRUE")))
    assert [name in answer.err for name in ALTERNATIVE] == [True, True, True]


@pytest.mark.parametrize(
    ("flag", "security", "plain"),
    [("1", Security.ENCRYPTED, False), ("0", Security.AUTOMATIC, True), (None, Security.AUTOMATIC, False)],
)
def test_email2_19_the_flags_for_ssl(provision: Provisioned, flag: str | None, security: Security, plain: bool) -> None:
    provision.good(syncml(whole(AUTHREQUIRED="1", _8128000B=flag, _812C000B=flag)))
    for section in (provision.mailbox(), provision.way_out()):
        assert (section.security, section.allow_plaintext_auth) == (security, plain)


def test_email2_19_who_does_not_sign_in_needs_no_leave_for_it(provision: Provisioned) -> None:
    provision.good(syncml(whole(_812C000B="0")))
    assert not provision.way_out().allow_plaintext_auth


@pytest.mark.parametrize(
    ("bits", "read"),
    [
        *((bits, True) for bits in ("0x2", "2", "0xffffffff", "4294967295", "-1", "0x6")),
        *((bits, False) for bits in ("0x0", "0", "0x1", "0x1ffd")),
    ],
)
def test_email2_20_without_the_bit_for_mail_nothing_is_read(provision: Provisioned, bits: str, read: bool) -> None:
    provision.good(syncml(whole(SYNCINGCONTENTTYPES=bits)))
    assert provision.mailbox().enable_client is read
    assert bool(provision.settings().read_mailboxes()) is read
    assert provision.good(syncml(tell("Get", item(uri("SYNCINGCONTENTTYPES"))))).results.popitem()[1] == bits


@pytest.mark.parametrize("bits", ["mail", "0x2000", "-2", "0x", "2.0", "4294967296", "0x100000002", ""])
def test_email2_20_bits_that_mean_nothing_are_refused(provision: Provisioned, bits: str) -> None:
    answer = provision(syncml(whole(SYNCINGCONTENTTYPES=bits)))
    assert answer.codes[0] == 507
    assert "SYNCINGCONTENTTYPES: expected " in answer.err


def test_email2_21_a_deleted_account_takes_its_section_and_secrets_along(provision: Provisioned) -> None:
    provision.good(syncml(whole(), whole(guid=OTHER)))
    provision.good(syncml(tell("Delete", item(uri()))))
    assert [*provision.files()] == [f"email2-{OTHER}.conf"]
    assert [*provision.settings().mailboxes] == [f"pop-client-email2-{OTHER}"]
    provision.good(wap_of(f'<characteristic type="EMAIL2"><nocharacteristic type="{{{OTHER}}}"/></characteristic>'))
    assert provision.files() == {}
    assert provision(syncml(tell("Delete", item(uri())))).codes == [404]


def test_email2_21_secrets_are_never_given_back(provision: Provisioned) -> None:
    given = {"AUTHSECRET": "pa55-incoming", "SMTPALTPASSWORD": "pa55-alternative"}
    said = [provision.good(syncml(whole(AUTHREQUIRED="1", SMTPALTENABLED="TRUE", **{**ALTERNATIVE, **given})))]
    gets = [item(f"{uri()}?list=StructData"), *(item(uri(node)) for node in given)]
    said.append(provision.good(syncml(*(tell("Get", one) for one in gets))))
    assert [said[-1].results[uri(node)] for node in given] == ["***", "***"]
    queries = "".join(f'<parm-query name="{node}"/>' for node in given)
    said.append(provision.good(wap(queries)))
    said += [provision.run("--export", provision.mailbox().name, "--format", form) for form in ("syncml", "cp")]
    said.append(provision(change(AUTHSECRET="pa55-\nincoming", SMTPALTPASSWORD="file:/pa55")))
    said.append(provision(change(AUTHSECRET="pa55" * 1000, LINGER="1")))
    assert "pa55" not in "".join(one.out + one.err for one in said)
    shown = replace(said[0], out=repr(provision.settings()))
    assert "pa55" not in shown.out

"""OMA Client Provisioning: the characteristic EMAIL2, and its own form for mail."""

from __future__ import annotations

import pytest

from tests.unit.provision.email2.documents import (
    GUID,
    OTHER,
    WHOLE,
    Provisioned,
    item,
    parms,
    syncml,
    tell,
    uri,
    wap,
    wap_of,
)


def test_an_account_is_set_up_changed_and_asked_for(provision: Provisioned) -> None:
    made = provision.good(wap(parms({**WHOLE, "TAGPROPS/8128000B": "1", "LINGER": "60"})))
    assert made.out == f"{{{GUID.lower()}}}: set up in email2-{GUID.lower()}.conf\n"
    box = provision.mailbox()
    assert (box.cycle_time, box.security, box.password.reveal()) == (3600, "encrypted", WHOLE["AUTHSECRET"])
    assert provision.good(wap(parms({"LINGER": "30"}))).out.startswith(f"{{{GUID.lower()}}}: changed in ")
    assert provision.good(wap(parms({"LINGER": "30"}))).out == "nothing to change\n"
    asked = provision.good(wap('<parm-query name="LINGER"/><characteristic-query type="TAGPROPS"/>'))
    assert asked.out == f"{{{GUID.lower()}}} LINGER: 30\n{{{GUID.lower()}}} TAGPROPS/8128000B: 1\n"
    whole = provision.good(
        wap_of(f'<characteristic type="EMAIL2"><characteristic-query type="{{{GUID}}}"/></characteristic>')
    )
    assert len(whole.out.splitlines()) == len(WHOLE) + 2


def test_nodes_are_taken_away(provision: Provisioned) -> None:
    provision.good(wap(parms({**WHOLE, "NAME": "Ann", "TAGPROPS/8128000B": "1"})))
    provision.good(wap('<noparm name="NAME"/><nocharacteristic type="TAGPROPS"/>'))
    got = provision(syncml(tell("Get", item(uri("NAME")), item(uri("TAGPROPS/8128000B")))))
    assert got.codes == [404, 404]
    assert "does not allow Delete" in provision(wap('<noparm name="INSERVER"/>')).err


@pytest.mark.parametrize(
    ("inner", "words"),
    [
        ('<parm name="PASSWORD" value="x"/>', "EMAIL2 has no node 'PASSWORD'"),
        ('<parm value="x"/>', "EMAIL2 has no node '?'"),
        ('<parm name="TAGPROPS" value="x"/>', "TAGPROPS: a parm has no place there"),
        ('<characteristic type="NAME"/>', "NAME: a characteristic has no place there"),
        ('<characteristic type="TAGPROPS"><parm name="1" value="1"/></characteristic>', "no node 'TAGPROPS/1'"),
        ("<other/>", "EMAIL2 has no node '?'"),
        ('<parm-query name="NAME"/>', f"there is no account {{{GUID.lower()}}} NAME"),
        ('<noparm name="NAME"/>', f"there is no account {{{GUID.lower()}}} NAME"),
    ],
)
def test_what_cannot_be_understood_is_named(provision: Provisioned, inner: str, words: str) -> None:
    answer = provision(wap(inner))
    assert answer.out == "nothing was done\n"
    assert words in answer.err
    assert answer.exit_code != 0


def test_a_document_is_carried_out_whole_or_not_at_all(provision: Provisioned) -> None:
    good = f'<characteristic type="{{{GUID}}}">{parms(WHOLE)}</characteristic>'
    nodes = {**WHOLE, "AUTHNAME": "bo", "LINGER": "1", "DWNDAY": "2"}
    bad = f'<characteristic type="{{{OTHER}}}">{parms(nodes)}</characteristic>'
    answer = provision(wap_of(f'<characteristic type="EMAIL2">{good}{bad}</characteristic>'))
    assert len(answer.err.splitlines()) == 2
    assert provision.files() == {}
    other = bad.replace('"1"', '"15"').replace('"2"', '"7"')
    provision.good(wap_of(f'<characteristic type="EMAIL2">{good}{other}</characteristic>'))
    assert len(provision.files()) == 2


def test_all_accounts_are_not_removed_at_once(provision: Provisioned) -> None:
    provision.good(wap(parms(WHOLE)))
    assert "nor removed all at once" in provision(wap_of('<nocharacteristic type="EMAIL2"/>')).err
    assert len(provision.files()) == 1


def application(appid: str, inner: str, **given: str) -> str:
    """An APPLICATION of Client Provisioning."""
    named = parms({"APPID": appid, **{name.replace("_", "-"): value for name, value in given.items()}})
    return f'<characteristic type="APPLICATION">{named}{inner}</characteristic>'


def at(host: str, *ports: tuple[str, str]) -> str:
    """An APPADDR with its ports and their services."""
    inner = "".join(
        f'<characteristic type="PORT">{parms({"PORTNBR": port, "SERVICE": service})}</characteristic>'
        for port, service in ports
    )
    return f'<characteristic type="APPADDR">{parms({"ADDR": host})}{inner}</characteristic>'


def signs_in(name: str, secret: str) -> str:
    """An APPAUTH."""
    auth = parms({"AAUTHTYPE": "PLAIN", "AAUTHNAME": name, "AAUTHSECRET": secret})
    return f'<characteristic type="APPAUTH">{auth}</characteristic>'


INCOMING = at("imap.contoso.example", ("143", "143"), ("993", "993")) + signs_in("ann", "pw")
OUTGOING = at("smtp.contoso.example", ("587", "STARTTLS"))


def test_imap_and_smtp_become_one_account(provision: Provisioned) -> None:
    document = wap_of(
        '<characteristic type="BOOTSTRAP"><parm name="NAME" value="x"/></characteristic>'
        + application("143", INCOMING, PROVIDER_ID="contoso", NAME="Contoso mail of the sales department")
        + application(
            "25", OUTGOING + signs_in("ann", "pw"), PROVIDER_ID="contoso", FROM='"Ann O." <ann@contoso.example>'
        )
        + application("w7", "", PROVIDER_ID="contoso")
    )
    provision.good(document)
    settings = provision.settings()
    (box,), (way,) = settings.mailboxes.values(), settings.ways_out.values()
    assert (box.type, box.server, box.port, box.security) == ("IMAP", "imap.contoso.example", 993, "encrypted")
    assert (box.mailbox, box.password.reveal(), box.address) == ("ann", "pw", "ann@contoso.example")
    assert (way.server, way.port, way.security, way.user) == ("smtp.contoso.example", 587, "encrypted", "ann")
    assert way.sender_override == '"Ann O." <ann@contoso.example>'
    assert [one.nodes["SERVICENAME"] for one in settings.email2.values()] == ["Contoso mail of the sales depart"]
    assert provision.good(document).out == "nothing to change\n"


def test_pop3_without_a_name_for_the_provider(provision: Provisioned) -> None:
    incoming = application("110", at("pop.contoso.example", ("110", "")) + signs_in("ann@contoso.example", "pw"))
    outgoing = application("25", at("smtp.contoso.example"))
    provision.good(wap_of(outgoing + incoming))
    settings = provision.settings()
    (box,), (way,) = settings.mailboxes.values(), settings.ways_out.values()
    assert (box.type, box.port, box.security, box.address) == ("POP3", 110, "automatic", "ann@contoso.example")
    assert (way.enable_authentication, way.security, way.senders) == (False, "automatic", ("ann@contoso.example",))


def test_smtp_may_have_credentials_of_its_own(provision: Provisioned) -> None:
    incoming = application("143", INCOMING, PROVIDER_ID="c")
    outgoing = application("25", OUTGOING + signs_in("relay", "other"), PROVIDER_ID="c", RT_ADDR="ann@contoso.example")
    provision.good(wap_of(incoming + outgoing))
    (way,) = provision.settings().ways_out.values()
    assert way.password is not None
    assert (way.user, way.password.reveal()) == ("relay", "other")


def test_two_users_of_one_provider_are_two_accounts(provision: Provisioned) -> None:
    for user in ("ann", "bo"):
        both = INCOMING.replace('"ann"', f'"{user}"')
        outgoing = application("25", OUTGOING, PROVIDER_ID="c", FROM=f"{user}@contoso.example")
        provision.good(wap_of(application("143", both, PROVIDER_ID="c") + outgoing))
    assert sorted(box.mailbox for box in provision.settings().mailboxes.values()) == ["ann", "bo"]


@pytest.mark.parametrize(
    ("inner", "words"),
    [
        (application("25", OUTGOING, PROVIDER_ID="c"), "has the APPID 110 or 143"),
        (application("143", INCOMING) + application("110", INCOMING), "do the same; keep one of them"),
        (application("143", INCOMING), "OUTSERVER: it is missing"),
        (application("143", at("imap.x")) + application("25", OUTGOING, FROM="a@x"), "AUTHNAME: it is missing"),
        (application("143", signs_in("a", "b")) + application("25", OUTGOING, FROM="a@x"), "INSERVER: it is missing"),
        (application("w7", INCOMING), "expected the characteristic EMAIL2, or an APPLICATION"),
    ],
)
def test_applications_that_make_no_account(provision: Provisioned, inner: str, words: str) -> None:
    answer = provision(wap_of(inner))
    assert words in answer.err
    assert provision.files() == {}

"""In whose name a mail goes out, by which way, and in which charset."""

from __future__ import annotations

import pytest

from emaild.services.faults import FaultKind
from emaild.settings.way_out import WayOutSection
from emaild.store import Store
from tests.unit.services.bureau import Bureau


@pytest.fixture
def bureau(store: Store) -> Bureau:
    return Bureau(store)


def test_the_sender_is_the_first_that_is_known(store: Store) -> None:
    bureau = Bureau(store, default_from_address="default@shop.example", box={"address": "hello@shop.example"})
    question = bureau.comes()
    assert bureau.mail(bureau.call("Acknowledge", question, Text="Hi"))["From"] == "hello@shop.example"
    given = bureau.call("Acknowledge", question, Text="Hi", From="The Shop <shop@shop.example>")
    assert bureau.mail(given)["From"] == "The Shop <shop@shop.example>"
    nameless = Bureau(store, default_from_address="default@shop.example", box={"mailbox": "ann"})
    assert nameless.mail(nameless.call("Acknowledge", question, Text="Hi"))["From"] == "default@shop.example"
    nobody = Bureau(store, box={"mailbox": "ann"})
    assert nobody.kind("Acknowledge", question, Text="Hi") is FaultKind.NO_SENDER


def test_the_sender_chooses_the_way_out(store: Store) -> None:
    ways = (
        WayOutSection(name="smtp-client", server="smtp.example"),
        WayOutSection(name="smtp-client2", server="smtp2.example", senders=("@other.example",)),
    )
    bureau = Bureau(store, ways_out=ways)
    result = bureau.call("Acknowledge", bureau.comes(), Text="Hi", From="a@other.example")
    assert store.outbox.get(result["outbox_id"])[0].way_out == "smtp-client2"
    assert Bureau(store, ways_out=()).kind("Acknowledge", bureau.comes(), Text="Hi") is FaultKind.NO_WAY_OUT


@pytest.mark.parametrize("sender", ["nobody", "a@b.example, c@d.example", "a@b.example\r\nBcc: x@y.example", "@", "<>"])
def test_a_sender_that_is_not_one_address(bureau: Bureau, sender: str) -> None:
    fault = bureau.fault("Acknowledge", bureau.comes(), Text="Hi", From=sender)
    assert (fault.kind, fault.parameter) == (FaultKind.WRONG_ADDRESS, "From")


def test_the_charset_that_is_asked_for(store: Store) -> None:
    bureau = Bureau(store, outbound_msg_charset="iso8859-1")
    raw = bureau.raw(bureau.call("Acknowledge", bureau.comes("Größe"), Text="Grüße"))
    assert b'charset="iso-8859-1"' in raw
    assert b"=?iso-8859-1?" in raw
    on_wire = raw.split(b"\r\n")
    assert max(map(len, on_wire)) <= 998

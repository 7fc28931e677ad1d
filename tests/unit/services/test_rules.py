"""Which rule fits an interaction."""

from __future__ import annotations

from dataclasses import replace

import pytest

from emaild.errors import NotFound
from emaild.jobs.texts import with_texts
from emaild.message import OUTBOUND, Interaction, InteractionState
from emaild.services.rules import first_fit
from emaild.settings.load import Settings
from emaild.store import Store
from tests.conf_files import ConfFiles
from tests.understanding import Desk, letter

BOX = "[pop-client]\nserver = localhost\nmailbox = support@shop.example\npassword = hunter2\n"
DO = "then-queue = q\n"
MAIL = letter(
    "Your invoice 12",
    sender="Ann <Ann@Customer.example>",
    to="support@shop.example, sales@shop.example",
    cc="boss@shop.example",
    x_spam="no, and\r\n sure of it",
    x_name="=?utf-8?q?J=C3=B6rg_M=C3?= =?utf-8?q?=BCller?=",
)


def name_of_first(settings: Settings, entry: Interaction) -> str | None:
    """The name of the rule that fits; its header may not be looked at."""
    rule = first_fit(settings.rules.values(), entry, settings)
    return None if rule is None else rule.name


def fitting(conf: ConfFiles, store: Store, conditions: str, raw: bytes = MAIL) -> bool:
    """Whether a rule with these conditions fits that mail, as it is in the store."""
    settings = conf.load(f"{BOX}[rule-x]\n{conditions}{DO}")
    entry = Desk(store).one(raw)
    found = first_fit(settings.rules.values(), entry, settings, lambda entry: with_texts(store, settings, entry))
    return found is not None


@pytest.mark.parametrize(
    "conditions",
    [
        "",
        "if-mailbox = POP-Client\n",
        "if-mailbox = sales Support@Shop.example\n",
        "if-subtype = InboundNDR, inboundnew\n",
        "if-queue = in*\n",
        "if-sender = *@customer.EXAMPLE\n",
        "if-sender = @customer.example\n",
        "if-recipient = SALES@*\n",
        "if-recipient = @shop.example\n",
        "if-recipient = boss@shop.example\n",
        "if-subject = nothing, *INVOICE ??\n",
        "if-header = x-spam: NO*sure*\n",
        "if-header = X-Other: *, To: *sales@*\n",
        "if-header = X-Name: jörg müller\n",
        "if-header = X-Name: =?utf-8?q?J=C3=B6rg*\n",
        "if-automatic = false\n",
        "if-first-of-thread = true\n",
        "if-type = Inbound\nif-sender = ann@*\nif-subject = your*\n",
    ],
)
def test_a_rule_fits_whose_conditions_hold(conf: ConfFiles, store: Store, conditions: str) -> None:
    assert fitting(conf, store, conditions)


@pytest.mark.parametrize(
    "conditions",
    [
        "if-mailbox = pop-client-2\n",
        "if-mailbox = shop.example\n",
        "if-subtype = InboundCustomerReply\n",
        "if-queue = outgoing\n",
        "if-sender = customer.example\n",
        "if-recipient = ann@customer.example\n",
        "if-subject = invoice\n",
        "if-header = X-Spam: yes\n",
        "if-header = X-Spa: *\n",
        "if-automatic = true\n",
        "if-first-of-thread = false\n",
        "if-type = Outbound\n",
        "enable-rule = false\n",
        "if-sender = ann@*\nif-subject = my*\n",
    ],
)
def test_a_rule_with_one_condition_that_does_not_hold_does_not(conf: ConfFiles, store: Store, conditions: str) -> None:
    assert not fitting(conf, store, conditions)


def test_one_of_several_fields_of_a_name_is_enough(conf: ConfFiles, store: Store) -> None:
    twice = MAIL.replace(b"Subject:", b"Received: from a\r\nReceived: from b\r\nSubject:")
    assert fitting(conf, store, "if-header = received: from b\n", twice)


def test_what_no_person_wrote_and_what_answers_is_told_apart(conf: ConfFiles, store: Store) -> None:
    automatic = letter("Away", auto_submitted="auto-replied")
    assert fitting(conf, store, "if-automatic = true\n", automatic)
    first = Desk(store).one(letter())
    answer = letter("Re: Hello", in_reply_to=first.facts.message_id or "")
    assert fitting(conf, store, "if-first-of-thread = false\nif-subtype = InboundCustomerReply\n", answer)


def test_the_first_of_those_that_fit_counts(conf: ConfFiles, store: Store) -> None:
    settings = conf.load(
        f"{BOX}[rule-z]\nif-subject = x\n{DO}[rule-rests]\nenable-rule = no\n{DO}[rule-b]\n{DO}[rule-a]\n{DO}"
    )
    assert name_of_first(settings, Desk(store).one(MAIL)) == "rule-b"


def test_the_header_is_read_only_where_a_rule_asks_for_it_and_once(conf: ConfFiles, store: Store) -> None:
    header = "if-header = X-A: b\n"
    settings = conf.load(f"{BOX}[rule-a]\nif-subject = x\n{header}{DO}[rule-b]\n{DO}[rule-c]\n{header}{DO}")
    entry, reads = Desk(store).one(MAIL), []

    def read(entry: Interaction) -> Interaction:
        reads.append(entry.id)
        return with_texts(store, settings, entry)

    assert first_fit(settings.rules.values(), entry, settings, read).name == "rule-b"  # type: ignore[union-attr]
    assert reads == []
    twice = conf.load(f"{BOX}[rule-a]\n{header}{DO}[rule-c]\n{header}{DO}")
    assert first_fit(twice.rules.values(), entry, twice, read) is None
    assert reads == [entry.id]


def test_a_mail_that_is_gone_cannot_be_read(conf: ConfFiles, store: Store) -> None:
    settings = conf.load(f"{BOX}[rule-a]\nif-header = X-A: b\n{DO}")
    gone = replace(Desk(store).one(MAIL), raw_digest="0" * 64)
    with pytest.raises(NotFound):
        first_fit(settings.rules.values(), gone, settings, lambda entry: with_texts(store, settings, entry))


def test_the_mailbox_of_a_section_that_went_is_still_known_by_its_name(conf: ConfFiles, store: Store) -> None:
    settings = conf.load(f"[rule-a]\nif-mailbox = pop-client\n{DO}[rule-b]\n{DO}")
    assert name_of_first(settings, Desk(store).one(MAIL)) == "rule-a"


def test_what_was_stopped_fits_no_rule(conf: ConfFiles, store: Store) -> None:
    settings = conf.load(f"{BOX}[rule-a]\n{DO}")
    own = Desk(store).one(letter(sender="support@shop.example"))
    assert own.state is InteractionState.STOPPED
    assert name_of_first(settings, own) is None


def test_rules_are_for_mails_in_or_for_mails_out(conf: ConfFiles, store: Store) -> None:
    settings = conf.load(f"{BOX}[rule-in]\n{DO}[rule-out]\nif-type = Outbound\nservice = Send\n")
    entry = Desk(store).one(MAIL)
    assert name_of_first(settings, entry) == "rule-in"
    assert name_of_first(settings, replace(entry, type=OUTBOUND)) == "rule-out"

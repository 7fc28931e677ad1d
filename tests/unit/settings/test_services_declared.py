"""What services are told, in all spellings of Genesys's."""

from __future__ import annotations

import pytest

from emaild.settings.service_parameters import WrongParameter, given_as, parameters_of, service_named
from emaild.settings.services import (
    SERVICES,
    AcknowledgeParameters,
    ChatTranscriptParameters,
    CreateNotificationParameters,
    ForwardParameters,
    SendParameters,
    ServiceParameters,
)


@pytest.mark.parametrize(
    ("name", "service"),
    [
        ("Acknowledge", AcknowledgeParameters),
        ("create-acknowledgement", AcknowledgeParameters),
        ("SEND_EMAIL", SendParameters),
        ("notification", CreateNotificationParameters),
        ("Answer", None),
    ],
)
def test_a_service_is_found_by_its_name_or_an_alias_in_any_spelling(
    name: str, service: type[ServiceParameters] | None
) -> None:
    assert service_named(name) is service


def test_no_two_services_have_one_name() -> None:
    names = [name.lower() for service in SERVICES for name in (service.kind.name, *service.aliases)]
    assert len(set(names)) == len(names)


def test_parameters_are_read_in_any_spelling_and_by_their_other_names() -> None:
    given = parameters_of(
        AcknowledgeParameters,
        {
            "interaction-id": "A",
            "Standard Response": "thanks",
            "OUTPUT_QUEUE": "review",
            "exclude-email-addresses": "a@b.example, @c.example",
            "DoNotThread": "yes",
            "Field Code.Team": "Bills",
            "FieldCodes.Contact.FirstName": "Ann",
            "Header.X-A": "1",
            "UserData.Key": "2",
        },
    )
    assert (given.interaction_id, given.srl_id, given.queue, given.do_not_thread) == ("A", "thanks", "review", True)
    assert given.exclude_email_addresses == ("a@b.example", "@c.example")
    assert given.field_codes == {"Team": "Bills", "Contact.FirstName": "Ann"}
    assert (given.headers, given.attached_data) == ({"X-A": "1"}, {"Key": "2"})


def test_what_is_not_given_is_the_default() -> None:
    given = parameters_of(ForwardParameters, {"To": "bills@shop.example"})
    assert (given.queue, given.include_original_message, given.associate_new_interaction) == ("send", True, True)


@pytest.mark.parametrize(
    ("given", "name", "problem"),
    [
        ({}, "Chat", "it is missing; expected text"),
        ({"Chat": "x", "Qeue": "y"}, "Qeue", "ChatTranscript has no such parameter; did you mean Queue?"),
        ({"Chat": "x", "DoNotThread": "maybe"}, "DoNotThread", "expected true or false, found 'maybe'"),
        ({"Chat": "x", "Queue": "a", "OutputQueue": "b"}, "OutputQueue", "Queue is given twice"),
        ({"Chat": "x", "Headers": "a"}, "Headers", "it holds names of your own; expected Headers.NAME"),
        ({"Chat": "x", "Headers.": "a"}, "Headers.", "ChatTranscript has no such parameter"),
        ({"Chat": "x", "Detach": "true"}, "Detach", "it is no parameter here: a service does not move"),
    ],
)
def test_what_a_service_cannot_be_told_is_refused_by_its_name(given: dict[str, str], name: str, problem: str) -> None:
    with pytest.raises(WrongParameter) as refused:
        parameters_of(ChatTranscriptParameters, given)
    assert refused.value.name == name
    assert str(refused.value).startswith(problem)


def test_a_parameter_is_found_as_it_was_spelled() -> None:
    assert given_as({"Cc": "a", "standard-response": "thanks"}, "SrlId") == ("standard-response", "thanks")
    assert given_as({"Cc": "a"}, "To") is None

"""Two ways out that claim the same mail: the operator is told which one has it."""

from __future__ import annotations

import pytest

from tests.conf_files import ConfFiles

FIRST = "[smtp-client]\nserver = a\nsenders = @one.example, ann@two.example\nqueues = sales\ncallers = command-line\n"


@pytest.mark.parametrize(
    ("option", "claimed"),
    [
        ("senders", "Ann@TWO.example"),
        ("senders", "@one.example"),
        ("senders", "bob@one.example"),
        ("queues", "Sales"),
        ("callers", "Command-Line"),
    ],
)
def test_what_another_section_claims_before_is_warned_of(conf: ConfFiles, option: str, claimed: str) -> None:
    (warning,) = conf.warnings(f"{FIRST}[smtp-client-b]\nserver = b\n{option} = {claimed}\n")
    assert warning.endswith(
        f"[smtp-client-b] {option}: {claimed} goes by [smtp-client], which claims it and comes first"
    )


def test_claims_of_their_own_are_not_warned_of(conf: ConfFiles) -> None:
    others = (
        "[smtp-client-b]\nserver = b\nsenders = @two.example, cid@two.example, @sub.one.example\nqueues = support\n"
    )
    assert conf.warnings(FIRST + others) == []

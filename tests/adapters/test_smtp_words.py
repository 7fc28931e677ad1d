"""How a broken connection and a silent server are told: in words for a person, and not in the library's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from emaild.errors import Unreachable
from tests.adapters.scripts import SmtpScript, cuts, stays_silent
from tests.adapters.ways import Sinks, outbound
from tests.servers.scripted import Scripted


@pytest.mark.parametrize(
    ("behaviour", "told"),
    [(stays_silent, "the server's answer timed out"), (cuts, "the connection broke: the server closed it")],
)
def test_a_server_that_says_nothing_is_told_in_words(
    scripted: Callable[..., Scripted], sinks: Sinks, behaviour: Any, told: str
) -> None:
    with pytest.raises(Unreachable) as failure:
        sinks(scripted(SmtpScript({"EHLO": behaviour})).port, protocol_timeout=0.2).send(outbound())
    assert failure.value.reason == told

"""Who signs in for the daemon's sections, for every test that asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.daemon.office import Office
from tests.daemon.signing_in import knowing
from tests.servers.authority import Authority
from tests.servers.authorization import AuthorizationServer


@pytest.fixture
def people(authorization: AuthorizationServer) -> AuthorizationServer:
    """An authority that knows some people, and the applications at Microsoft and at Google."""
    return knowing(authorization)


@pytest.fixture
def office(authority: Authority, tmp_path: Path) -> Iterator[Office]:
    """Mailboxes and ways out with tokens."""
    with ExitStack() as stack:
        yield Office(authority, tmp_path, stack)

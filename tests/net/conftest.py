"""Who asks for tokens, for every test of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers.authority import Authority
from tests.servers.authorization import AuthorizationServer
from tests.tokens import TokenOffice


@pytest.fixture
def office(authorization: AuthorizationServer, authority: Authority, tmp_path: Path) -> TokenOffice:
    """One at the authorization server of the tests."""
    return TokenOffice(authorization, authority, tmp_path)

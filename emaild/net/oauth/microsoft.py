"""Microsoft's way, and that of authorities that do as Microsoft's: by msal, which is imported where it is needed."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

from emaild.errors import Rejected, RemoteError, Unreachable
from emaild.net.loading import loaded
from emaild.net.oauth.causes import FEDERATION, MICROSOFT, cause_of
from emaild.net.oauth.certificates import read_certificate
from emaild.net.oauth.grant import Grant, Issued, Way, issued_of
from emaild.net.oauth.refusal import refusal
from emaild.net.oauth.web import ACTION, NO_FEDERATION, Web
from emaild.settings.cloud import is_microsofts
from emaild.settings.secret import Secret


def issued(grant: Grant, web: Web, refresh: Secret | None) -> Issued:
    """A new token; *refresh* is the refresh token of a sign-in, where the grant is one.

    Raises:
        RemoteError: it is refused, or the authority cannot be asked now.
    """

    def ask() -> Mapping[str, Any]:
        made, scopes = application(grant, web), grant.scope.split()
        if grant.way is Way.APPLICATION:
            answer = made.acquire_token_for_client(scopes)
        elif grant.way is Way.PASSWORD:
            assert grant.password is not None
            answer = made.acquire_token_by_username_password(grant.user, grant.password.reveal(), scopes)
        else:
            assert refresh is not None
            answer = made.acquire_token_by_refresh_token(refresh.reveal(), scopes)
        return answer if isinstance(answer, dict) else {}

    answer = told(grant, web, ask)
    found = issued_of(answer)
    if found is None:
        raise refusal(grant, cause_of(answer, MICROSOFT))
    return found


def application(grant: Grant, web: Web) -> Any:
    """msal's object; to make it asks the authority for its addresses. It remembers nothing that a next one knows.

    Raises:
        ValueError: the application's certificate cannot be used.
    """
    msal: Any = loaded("msal")
    warnings.filterwarnings("ignore", module=r"msal\.")  # what it deems out of date our own words say, at every start
    credential: str | dict[str, str] | None = None
    if grant.certificate is not None:
        found = read_certificate(grant.certificate, grant.key, grant.key_password)
        credential = {"private_key": found.key.reveal(), "public_certificate": found.certificate}
    elif grant.secret is not None:
        credential = grant.secret.reveal()
    kind = msal.PublicClientApplication if credential is None else msal.ConfidentialClientApplication
    return kind(
        grant.client_id,
        client_credential=credential,
        authority=grant.authority,
        instance_discovery=is_microsofts(grant.authority),
        http_client=web,
    )


def told(grant: Grant, web: Web, ask: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    """What msal says, all that it raises turned into ours.

    Raises:
        RemoteError: it is refused, or the authority cannot be asked now.
    """
    web.said = {}
    try:
        return ask()
    except (RemoteError, ImportError):
        raise
    except Exception as error:  # whatever a library meets in what a server says, and our own ValueError
        if web.said:  # its own texts leave out why
            raise refusal(grant, cause_of(web.said, MICROSOFT, FEDERATION)) from error
        if isinstance(error, ValueError) and str(error).startswith(("application-", "cannot read")):
            raise Rejected(grant.authority, ACTION, str(error)) from error
        wrong = NO_FEDERATION if web.federated else "it answers not as an authority does; is tenant-authority right?"
        raise Unreachable(grant.authority, ACTION, wrong) from error

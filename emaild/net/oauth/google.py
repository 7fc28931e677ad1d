"""Google's way: by google-auth, which is imported where it is needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from emaild.errors import Rejected, RemoteError, Unreachable
from emaild.net.loading import loaded
from emaild.net.oauth.causes import GOOGLE, SERVICE_ACCOUNT, cause_of
from emaild.net.oauth.certificates import read_service_account
from emaild.net.oauth.grant import Grant, Issued, Way, issued_of
from emaild.net.oauth.refusal import refusal
from emaild.net.oauth.web import ACTION, Web
from emaild.settings.secret import Secret


def issued(grant: Grant, web: Web, refresh: Secret | None) -> Issued:
    """A new token; *refresh* is the refresh token of a sign-in, where the grant is one.

    Raises:
        RemoteError: it is refused, or Google cannot be asked now.
    """
    if grant.way is Way.SERVICE_ACCOUNT:
        return told(grant, web, lambda: _by_service_account(grant, web))
    given = refresh or grant.password
    assert given is not None
    return told(grant, web, lambda: _by_refresh_token(grant, web, given))


def told(grant: Grant, web: Web, ask: Callable[[], Issued | None]) -> Issued:
    """What *ask* gives, all that google-auth raises turned into ours.

    Raises:
        RemoteError: it is refused, or Google cannot be asked now.
    """
    web.said = web.given = {}
    try:
        found = ask()
    except RemoteError:
        raise
    except ValueError as error:
        raise Rejected(grant.authority, ACTION, str(error)) from error
    except Exception as error:  # RefreshError, and whatever else a library meets in what a server says
        if web.said:
            raise why(grant, web.said) from error
        raise _no_google(grant) from error
    if found is None:
        raise _no_google(grant)
    return found


def why(grant: Grant, said: Mapping[str, Any]) -> RemoteError:
    """What an error answer of Google's means."""
    tables = (SERVICE_ACCOUNT, GOOGLE) if grant.way is Way.SERVICE_ACCOUNT else (GOOGLE,)
    return refusal(grant, cause_of(said, *tables))


def _no_google(grant: Grant) -> RemoteError:
    return Unreachable(grant.authority, ACTION, "it answers not as Google does; is token-endpoint right?")


def _by_refresh_token(grant: Grant, web: Web, refresh: Secret) -> Issued | None:
    library: Any = loaded("google.oauth2.credentials")
    library.Credentials(
        None,
        refresh_token=refresh.reveal(),
        token_uri=grant.authority,
        client_id=grant.client_id,
        client_secret=grant.secret.reveal() if grant.secret else "",
    ).refresh(web)
    return issued_of(web.given)


def _by_service_account(grant: Grant, web: Web) -> Issued | None:
    assert grant.service_account is not None
    library: Any = loaded("google.oauth2.service_account")
    account = read_service_account(grant.service_account)
    account["token_uri"] = grant.authority
    try:
        credentials = library.Credentials.from_service_account_info(account)
    except Exception as error:  # whatever cryptography says of the key
        wrong = f"service-account-file: {grant.service_account} holds no private key that can be used"
        raise ValueError(wrong) from error
    credentials.with_scopes(grant.scope.split()).with_subject(grant.user).refresh(web)
    return issued_of(web.given)

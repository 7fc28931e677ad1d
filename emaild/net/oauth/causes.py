"""Why an authority refuses, and what to do about it: its codes and ours, as a table.

SECTION in a remedy stands for the name of the conf section. Microsoft's codes: "Microsoft Entra authentication and
authorization error codes"; Google's: "Using OAuth 2.0 to access Google APIs", "Refresh token expiration". The others
are those of RFC 6749 §5.2 and §4.1.2.1, and RFC 8628 §3.5.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

LONGEST_SAID = 200
SIGN_IN_AGAIN = "sign in again: emaild login SECTION"


@dataclass(frozen=True)
class Cause:
    """`code` as the authority has it; `temporary`: it passes by itself."""

    code: str
    cause: str
    remedy: str
    temporary: bool = False

    def __str__(self) -> str:
        return f"{self.cause} ({self.code}); {self.remedy}"


_MFA = "a password is not enough: use grant-type authorization_code and emaild login SECTION, or client_credentials"
_NAME = "set mailbox or user to its full address, or directory-id"

MICROSOFT = (
    Cause("AADSTS50126", "user or password is wrong", "set password (and mailbox or user) right"),
    Cause("AADSTS50034", "the user is not in this directory", _NAME),
    Cause("AADSTS50053", "the account is locked after too many wrong passwords", "set password right; wait an hour"),
    Cause("AADSTS50055", "the password has expired", "set a new one for the user, and password"),
    Cause("AADSTS50056", "the directory holds no password for the user", _MFA),
    Cause("AADSTS50057", "the user's account is disabled", "let the directory's administrator enable it"),
    Cause("AADSTS50072", "the user must set up multi-factor sign-in", _MFA),
    Cause("AADSTS50074", "multi-factor sign-in is demanded", _MFA),
    Cause("AADSTS50076", "multi-factor sign-in is demanded", _MFA),
    Cause("AADSTS50079", "the user must set up multi-factor sign-in", _MFA),
    Cause("AADSTS50142", "the user must change the password", "set a new one for the user, and password"),
    Cause("AADSTS50144", "the password has expired in the organization's own directory", "set a new one, and password"),
    Cause("AADSTS50158", "a further sign-in is demanded by Conditional Access", _MFA),
    Cause("AADSTS53003", "Conditional Access blocks this sign-in", "let the administrator permit it; or " + _MFA),
    Cause("AADSTS50131", "Conditional Access blocks this sign-in", "let the administrator permit it; or " + _MFA),
    Cause("AADSTS530035", "the directory's security defaults block a sign-in by password alone", _MFA),
    Cause("AADSTS53004", "the user must set up multi-factor sign-in, and may not from here", _MFA),
    Cause("AADSTS53011", "the user is blocked, for the account is at risk", "let the administrator look"),
    Cause("AADSTS53001", "Conditional Access demands a device of the domain", "let the administrator permit it"),
    Cause("AADSTS53000", "Conditional Access demands a device that complies", "let the administrator permit it"),
    Cause("AADSTS700016", "the application is not in this directory", "set client-id and directory-id right"),
    Cause("AADSTS700038", "client-id is no application's ID", "set client-id right"),
    Cause("AADSTS90002", "there is no such directory", "set directory-id right, and tenant-authority to its cloud"),
    Cause("AADSTS900023", "directory-id is no directory's ID or name", "set directory-id right"),
    Cause(
        "AADSTS7000215",
        "the client secret is wrong",
        "set the secret's value, not its ID, in password or [secret-NAME]",
    ),
    Cause(
        "AADSTS7000222", "the client secret has expired", "make a new one in the portal, and set it and secret-expires"
    ),
    Cause(
        "AADSTS7000218", "the application must prove itself", "set secret, or allow public client flows in the portal"
    ),
    Cause(
        "AADSTS7000216", "the application must prove itself", "set password to its secret, or application-certificate"
    ),
    Cause("AADSTS700025", "the application is a public one and must not prove itself", "leave out secret"),
    Cause("AADSTS700027", "the certificate is not the application's, or expired", "upload application-certificate"),
    Cause("AADSTS700024", "the proof that the certificate signed is not of now", "set the clock of this machine right"),
    Cause("AADSTS7000112", "the application is disabled", "let the directory's administrator enable it"),
    Cause("AADSTS7000229", "the application has no service principal here", "let the administrator consent to it"),
    Cause("AADSTS65001", "nobody consented to the permissions", "let the administrator consent, or " + SIGN_IN_AGAIN),
    Cause("AADSTS65004", "the consent was declined", SIGN_IN_AGAIN),
    Cause("AADSTS650052", "the directory does not have the service that scope names", "has it Exchange Online?"),
    Cause("AADSTS650057", "the application has no permission of the service that scope names", "add it in the portal"),
    Cause("AADSTS90094", "only an administrator may consent", "let the administrator consent"),
    Cause("AADSTS70011", "the scope is not valid", "set scope right, or leave it out"),
    Cause("AADSTS1002012", "the scope is not one for an application", "set scope to one that ends in /.default"),
    Cause("AADSTS28002", "the scope is not valid", "set scope right, or leave it out"),
    Cause("AADSTS500011", "the directory does not have what scope names", "set scope right; has it Exchange Online?"),
    Cause("AADSTS50105", "the user is not assigned to the application", "let the administrator assign it"),
    Cause("AADSTS70008", "the sign-in has expired for it was not used", SIGN_IN_AGAIN),
    Cause("AADSTS700082", "the sign-in has expired for it was not used", SIGN_IN_AGAIN),
    Cause("AADSTS700084", "the sign-in has expired", SIGN_IN_AGAIN),
    Cause("AADSTS700081", "the sign-in has expired", SIGN_IN_AGAIN),
    Cause("AADSTS70043", "the sign-in has expired by Conditional Access", SIGN_IN_AGAIN),
    Cause("AADSTS50173", "the sign-in was revoked, or the password changed", SIGN_IN_AGAIN),
    Cause("AADSTS50132", "the sign-in was revoked, or the password changed", SIGN_IN_AGAIN),
    Cause("AADSTS50133", "the sign-in was revoked, or the password changed", SIGN_IN_AGAIN),
    Cause("AADSTS500341", "the user's account was deleted", "set mailbox or user to one that is there"),
    Cause("AADSTS51004", "the user is not in this directory", _NAME),
    Cause("AADSTS50059", "no directory is named, or the user's name leads to none", "set directory-id"),
    Cause("AADSTS50078", "the multi-factor sign-in has expired", SIGN_IN_AGAIN),
    Cause("AADSTS50089", "the sign-in has expired", SIGN_IN_AGAIN),
    Cause("AADSTS50020", "the user is of another directory", "sign in as one of this directory, or set directory-id"),
    Cause("AADSTS50011", "the redirect address is not the application's", "add http://localhost to it in the portal"),
    Cause("AADSTS70000", "the sign-in is not valid any more", SIGN_IN_AGAIN),
    Cause("AADSTS9002313", "the sign-in is not valid", SIGN_IN_AGAIN),
    Cause("AADSTS50008", "the token of the organization's sign-in server is not taken", "let its administrator look"),
    Cause("AADSTS50107", "the organization's sign-in server is not known here", "let its administrator look"),
    Cause("AADSTS54005", "the code was used before", SIGN_IN_AGAIN),
    Cause("AADSTS501481", "the code is of another sign-in (PKCE)", SIGN_IN_AGAIN),
    Cause("AADSTS70016", "nobody has signed in with the code yet", "sign in", temporary=True),
    Cause("AADSTS70020", "the code has expired", SIGN_IN_AGAIN),
    Cause("AADSTS90033", "the authority is in trouble", "it is tried again", temporary=True),
    Cause("AADSTS90006", "the authority is in trouble", "it is tried again", temporary=True),
    Cause("AADSTS50196", "too many requests of one kind", "it is tried again", temporary=True),
    Cause("AADSTS90024", "too many requests", "it is tried again", temporary=True),
    Cause("AADSTS90055", "too many requests", "it is tried again", temporary=True),
)

_BY_PEOPLE = "use grant-type authorization_code and emaild login SECTION, or client_credentials"

FEDERATION = (
    Cause(
        "FailedAuthentication",
        "user or password is wrong at the organization's sign-in server, or it demands more than a password",
        f"set password (and mailbox or user) right; or {_BY_PEOPLE}",
    ),
    Cause(
        "RequestFailed",
        "the organization's sign-in server refuses a sign-in by password",
        f"let its administrator permit it, or {_BY_PEOPLE}",
    ),
    Cause("InvalidSecurity", "the organization's sign-in server does not take the request", "is the clock right?"),
    Cause("MessageExpired", "the organization's sign-in server deems the request too old", "is the clock right?"),
)
"""Codes of WS-Trust 1.3 §11 and WS-Security 1.1 §12, and of AD FS."""

GOOGLE = (
    Cause(
        "invalid_grant",
        "the refresh token has expired or was revoked: after 7 days where the application is in Testing, after 6 months"
        " without use, by a new password, or by too many newer ones",
        SIGN_IN_AGAIN,
    ),
    Cause("invalid_client", "client-id or its secret is wrong", "set client-id and [secret-NAME] right"),
    Cause("deleted_client", "the application was deleted", "make one in the console, and set client-id"),
    Cause("disabled_client", "the application is disabled", "enable it in the console"),
    Cause("unauthorized_client", "the application may not do this", "use one of type Desktop, and its client-id"),
    Cause("admin_policy_enforced", "the domain's administrator forbids the scope", "let the administrator permit it"),
    Cause("org_internal", "the application is for its own organization only", "sign in as one of it"),
    Cause("rapt_required", "the domain demands that people sign in again and again", "let the administrator exempt it"),
)

SERVICE_ACCOUNT = (
    Cause(
        "invalid_grant",
        "Google does not take the service account for this user",
        "is mailbox an address of the domain, the key of service-account-file still there, and the clock right?",
    ),
    Cause(
        "unauthorized_client",
        "the service account may not act for the domain's users",
        "let the domain's administrator allow its client ID and the scope by domain-wide delegation",
    ),
    Cause("invalid_scope", "the service account may not ask for this scope", "set scope right"),
)

STANDARD = (
    Cause("invalid_grant", "what was granted is not valid any more", SIGN_IN_AGAIN),
    Cause("invalid_client", "the application's ID or proof is wrong", "set client-id and its secret right"),
    Cause("unauthorized_client", "the application may not ask for tokens this way", "allow it, or set grant-type"),
    Cause("unsupported_grant_type", "the authority gives no tokens this way", "set grant-type"),
    Cause("invalid_scope", "the scope is not valid", "set scope right, or leave it out"),
    Cause("invalid_request", "the authority does not understand the request", "set the options for tokens right"),
    Cause("access_denied", "the consent was declined", SIGN_IN_AGAIN),
    Cause("authorization_declined", "the consent was declined", SIGN_IN_AGAIN),
    Cause("expired_token", "the code has expired", SIGN_IN_AGAIN),
    Cause("interaction_required", "somebody must sign in", SIGN_IN_AGAIN),
    Cause("consent_required", "nobody consented to the permissions", SIGN_IN_AGAIN),
    Cause("login_required", "somebody must sign in", SIGN_IN_AGAIN),
    Cause("authorization_pending", "nobody has signed in with the code yet", "sign in", temporary=True),
    Cause("slow_down", "too many requests", "it is tried again", temporary=True),
    Cause("server_error", "the authority is in trouble", "it is tried again", temporary=True),
    Cause("temporarily_unavailable", "the authority is in trouble", "it is tried again", temporary=True),
)


def cause_of(answer: Mapping[str, object], *tables: tuple[Cause, ...]) -> Cause:
    """What an error answer (RFC 6749 §5.2) means, by the first of *tables* that knows it, then by STANDARD.

    For a code that none knows it is the beginning of what the authority says, in which secrets are masked already.
    """
    described, suberror, error = (
        said if isinstance(said := answer.get(name), str) else "" for name in ("error_description", "suberror", "error")
    )
    found = re.search(r"\bAADSTS\d{4,8}\b", described[:LONGEST_SAID])
    codes = [found[0] if found else "", suberror, error]
    known = {cause.code: cause for table in (STANDARD, *reversed(tables)) for cause in table}
    for code in codes:
        if code in known:
            return known[code]
    first = re.sub(r"[^ -~]+", " ", described[:LONGEST_SAID]).strip() or "no reason is given"
    code = next((code for code in codes if code), "no code")
    return Cause(re.sub(r"[^\w-]+", " ", code)[:40], f"the authority says: {first}", "see its documentation")

"""An organization's own sign-in server, as AD FS: WS-Trust 1.3 with user and password, and its metadata (MEX)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from xml.etree import ElementTree

MEX = "/adfs/services/trust/mex"
TRUST = "/adfs/services/trust/13/usernamemixed"
ISSUE = "http://docs.oasis-open.org/ws-sx/ws-trust/200512/RST/Issue"
SAML = "urn:oasis:names:tc:SAML:1.0:assertion"
MICROSOFTS = "urn:federation:MicrosoftOnline"
NAMES = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "wsa": "http://www.w3.org/2005/08/addressing",
    "wsse": "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd",
    "wsu": "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd",
    "wst": "http://docs.oasis-open.org/ws-sx/ws-trust/200512",
    "wsp": "http://schemas.xmlsoap.org/ws/2004/09/policy",
}


@dataclass
class Federation:
    """Its people by name, with their passwords; `issued` are its assertions, each with whom it is for."""

    people: dict[str, str] = field(default_factory=dict)
    issued: dict[str, str] = field(default_factory=dict)

    def answer(self, path: str, url: str, body: bytes, kind: str) -> tuple[int, bytes]:
        """Status and body. *url* is where the server is, *kind* the request's Content-Type."""
        if path == MEX:
            return 200, _METADATA.format(address=url + TRUST, action=ISSUE).encode()
        if path != TRUST or not kind.startswith("application/soap+xml"):
            return 404, b""
        said = ElementTree.fromstring(body)

        def text(place: str) -> str:
            return (said.findtext(place, namespaces=NAMES) or "").strip()

        ends = datetime.strptime(text("s:Header/wsse:Security/wsu:Timestamp/wsu:Expires"), "%Y-%m-%dT%H:%M:%SZ")
        if ends.replace(tzinfo=UTC) < datetime.now(UTC):
            return _fault("wsse:MessageExpired", "The message is too old.")
        if (text("s:Header/wsa:Action"), text("s:Header/wsa:To")) != (ISSUE, url + TRUST):
            return _fault("wsa:DestinationUnreachable", "It is not for here.")
        if text(".//wsp:AppliesTo/wsa:EndpointReference/wsa:Address") != MICROSOFTS:
            return _fault("wst:InvalidRequest", "It is for nobody who is known.")
        user, password = (text(f".//wsse:UsernameToken/wsse:{name}") for name in ("Username", "Password"))
        if not password or self.people.get(user) != password:
            return _fault("a:FailedAuthentication", "ID3242: The security token could not be authenticated.")
        number = secrets.token_hex(8)
        assertion = f'<saml:Assertion xmlns:saml="{SAML}" AssertionID="_{number}">{user}</saml:Assertion>'
        self.issued[assertion] = user
        return 200, _ISSUED.format(assertion=assertion).encode()


def _fault(code: str, reason: str) -> tuple[int, bytes]:
    """AD FS answers so with status 500, also where a password is wrong."""
    return 500, _FAULT.format(code=code, reason=reason).encode()


_FAULT = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="urn:a"><s:Body><s:Fault><s:Code>'
    "<s:Value>s:Sender</s:Value><s:Subcode><s:Value>{code}</s:Value></s:Subcode></s:Code>"
    '<s:Reason><s:Text xml:lang="en-US">{reason}</s:Text></s:Reason></s:Fault></s:Body></s:Envelope>'
)
_ISSUED = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>'
    '<trust:RequestSecurityTokenResponseCollection xmlns:trust="http://docs.oasis-open.org/ws-sx/ws-trust/200512">'
    "<trust:RequestSecurityTokenResponse><trust:RequestedSecurityToken>{assertion}</trust:RequestedSecurityToken>"
    f"<trust:TokenType>{SAML}</trust:TokenType></trust:RequestSecurityTokenResponse>"
    "</trust:RequestSecurityTokenResponseCollection></s:Body></s:Envelope>"
)
_METADATA = (
    '<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:wsa="http://www.w3.org/2005/08/addressing"'
    ' xmlns:soap12="http://schemas.xmlsoap.org/wsdl/soap12/" xmlns:wsp="http://schemas.xmlsoap.org/ws/2004/09/policy"'
    ' xmlns:sp="http://docs.oasis-open.org/ws-sx/ws-securitypolicy/200702" xmlns:wsu="'
    'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd">'
    '<wsp:Policy wsu:Id="p"><wsp:ExactlyOne><wsp:All><sp:TransportBinding/><sp:SignedEncryptedSupportingTokens>'
    "<wsp:Policy><sp:UsernameToken><wsp:Policy><sp:WssUsernameToken10/></wsp:Policy></sp:UsernameToken></wsp:Policy>"
    "</sp:SignedEncryptedSupportingTokens></wsp:All></wsp:ExactlyOne></wsp:Policy>"
    '<wsdl:binding name="b" type="t"><wsp:PolicyReference URI="#p"/>'
    '<soap12:binding transport="http://schemas.xmlsoap.org/soap/http"/>'
    '<wsdl:operation name="o"><soap12:operation soapAction="{action}" style="document"/></wsdl:operation>'
    '</wsdl:binding><wsdl:service name="s"><wsdl:port name="p" binding="tns:b"><wsa:EndpointReference>'
    "<wsa:Address>{address}</wsa:Address></wsa:EndpointReference></wsdl:port></wsdl:service></wsdl:definitions>"
)

"""Who gives tokens: Google, and Microsoft's clouds with what their servers are called (national cloud endpoints)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

MICROSOFT = "https://login.microsoftonline.com"
GOOGLE = "https://accounts.google.com"


@dataclass(frozen=True)
class Cloud:
    """`outlook`: Exchange Online, as the scopes of an application name it. `people`: as those of a person do."""

    outlook: str
    people: str
    graph: str


WORLD = Cloud("https://outlook.office365.com", "https://outlook.office.com", "https://graph.microsoft.com")
US_GOVERNMENT = Cloud("https://outlook.office365.us", "https://outlook.office365.us", "https://graph.microsoft.us")
CHINA = Cloud("https://partner.outlook.cn", "https://partner.outlook.cn", "https://microsoftgraph.chinacloudapi.cn")

SIGN_IN_HOSTS = {
    "login.microsoftonline.com": WORLD,
    "login.microsoft.com": WORLD,
    "login.windows.net": WORLD,
    "sts.windows.net": WORLD,
    "login.microsoftonline.us": US_GOVERNMENT,
    "login.usgovcloudapi.net": US_GOVERNMENT,
    "login.partner.microsoftonline.cn": CHINA,
    "login.chinacloudapi.cn": CHINA,
}


def cloud_of(authority: str) -> Cloud:
    """The cloud that an authority signs in to; the world's for one that is not Microsoft's."""
    return SIGN_IN_HOSTS.get(_host(authority), WORLD)


def is_microsofts(authority: str) -> bool:
    """Whether the authority is one of Microsoft's own."""
    return _host(authority) in SIGN_IN_HOSTS


def is_googles(authority: str) -> bool:
    """Whether tokens are asked for Google's way: any text with google in it says so."""
    return "google" in authority.lower()


def _host(authority: str) -> str:
    try:
        return (urlsplit(authority).hostname or "").rstrip(".")
    except ValueError:
        return ""

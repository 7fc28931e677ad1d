"""The one door to access tokens: OAuth 2.0 at Microsoft, at Google, and at authorities of one's own."""

from emaild.net.oauth.door import SectionTokens, tokens_for
from emaild.net.oauth.sealed import Sealed
from emaild.net.oauth.tokens import Tokens

__all__ = ["Sealed", "SectionTokens", "Tokens", "tokens_for"]

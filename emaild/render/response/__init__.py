"""Standard responses: texts that an operator keeps in folders, filled with field codes, chats and replies.

The order is Genesys's: field codes, then tags; nothing else in a response is interpreted.
"""

from __future__ import annotations

from emaild.render.response.ext_reply import ExtReply
from emaild.render.response.loading import load, load_folder
from emaild.render.response.rendering import rendered
from emaild.render.response.saved_codes import saved_codes
from emaild.render.response.values import RenderedResponse, Response, ResponseWrong

__all__ = [
    "ExtReply",
    "RenderedResponse",
    "Response",
    "ResponseWrong",
    "load",
    "load_folder",
    "rendered",
    "saved_codes",
]

"""Which tags in a response are its author's, and which came with a value and are words.

`[ChatTranscript]` in a customer's name is no tag. So the author's tags are taken out before the field codes are
filled, behind marks that nobody can guess, and what looks like one afterwards is put out of sight until all is done.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import replace
from itertools import chain, repeat

from emaild.render.field_codes import SavedCode, Scope
from emaild.render.transcript.tags import MOST_PLACES, TAGS

REPLY = re.compile(r"\[\s{0,9}ExtAgentReply\s{0,9}\]", re.IGNORECASE)
STARTS = re.compile(
    r"\[\s{0,9}(?:ChatTranscript|ExtAgentReply)\s{0,9}\]"
    r"|(?:<|&lt;|&\#60;|&\#x3c;)\s{0,9}/?\s{0,9}(?:Genesys_Chat_Transcript|Timestamp)",
    re.IGNORECASE,
)
BEGIN = f"\ufdd8{secrets.token_hex(8)}:"  # the same for all of a process, so that templates stay compiled
MARK = re.compile(rf"{BEGIN}\w{{1,9}};")
REPLY_MARK = f"{BEGIN}reply;"


class Tags:
    """The tags of one rendering."""

    def __init__(self) -> None:
        self._behind: dict[str, str] = {}
        self._authors: set[str] = set()

    def taken(self, part: str) -> str:
        """What an author wrote, its tags behind marks."""
        part = TAGS.sub(lambda found: self._mark(found[0]), REPLY.sub(REPLY_MARK, part))
        self._authors = {*self._behind}
        return part

    def taken_from_codes(self, scope: Scope) -> Scope:
        """The values with the tags of the saved codes behind marks: an author wrote those too."""
        custom = {
            name: SavedCode(self.taken(value.text)) if isinstance(value, SavedCode) else value
            for name, value in scope.custom.items()
        }
        return replace(scope, custom=custom)

    def put_back(self, part: str) -> str:
        """A part whose field codes are filled, with its author's tags; what else looks like a tag is behind a mark.

        The places of the reply stay behind marks, too.
        """
        part = STARTS.sub(lambda found: self._mark(found[0]), part)
        return MARK.sub(lambda mark: self._behind[mark[0]] if mark[0] in self._authors else mark[0], part)

    def finished(self, part: str, reply: str) -> str:
        """A part with *reply* in its places, and with the words that look like a tag. Nothing is looked at twice.

        As with a transcript, places beyond MOST_PLACES stay empty.
        """
        replies = chain(repeat(reply, MOST_PLACES), repeat(""))
        return MARK.sub(lambda mark: self._behind[mark[0]] if mark[0] in self._behind else next(replies), part)

    def _mark(self, text: str) -> str:
        mark = f"{BEGIN}{len(self._behind)};"
        self._behind[mark] = text
        return mark

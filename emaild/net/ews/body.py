"""A request with a mail in it, as it goes out: the mail becomes base64 piece by piece."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field

PIECE = 48 << 10  # octets; a multiple of three, so that the pieces' base64 is the whole's


@dataclass(frozen=True)
class Body:
    """What goes before the mail, the mail, and what goes after it. It can be gone through again and again."""

    before: bytes = field(repr=False)
    mail: bytes = field(repr=False)
    after: bytes = field(repr=False)

    def __len__(self) -> int:
        """The bytes of the whole."""
        return len(self.before) + (len(self.mail) + 2) // 3 * 4 + len(self.after)

    def __iter__(self) -> Iterator[bytes]:
        yield self.before
        with memoryview(self.mail) as mail:
            for start in range(0, len(mail), PIECE):
                yield b64encode(mail[start : start + PIECE])
        yield self.after

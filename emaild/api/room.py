"""The memory that requests take, all together and one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from emaild.api.problems import Kind, Problem

LARGE = 1024 * 1024  # bytes of a body


class Room:
    """The memory that requests take. Each has a `Part` of it; all happens in the loop's thread."""

    def __init__(self, most: Callable[[], int]) -> None:
        self._most = most
        self.taken = 0
        self.line = asyncio.Lock()

    def take(self, size: int, own: int) -> None:
        """That much more, for one who has *own* already. One alone may take more than there is."""
        if self.taken > own and self.taken + size > self._most():
            raise Problem(Kind.BUSY, "too many large requests at once; come again in a few seconds")
        self.taken += size


class Part:
    """What one request takes, until `give_back`."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._size = 0
        self.first = False  # of those with large bodies: it is its turn

    def take(self, size: int) -> None:
        """That many bytes more.

        Raises:
            Problem: there is no room.
        """
        self._room.take(size, self._size)
        self._size += size

    async def stand_in_line(self, seconds: float) -> None:
        """Large bodies are read and worked on one at a time: what a program says takes several times its size.

        Raises:
            Problem: its turn did not come in time.
        """
        try:
            async with asyncio.timeout(seconds):
                self.first = await self._room.line.acquire()
        except TimeoutError:
            raise Problem(Kind.BUSY, "other large requests are worked on; come again in a few seconds") from None

    def give_back(self) -> None:
        """The request is done."""
        self._room.taken -= self._size
        self._size = 0
        if self.first:
            self.first = False
            self._room.line.release()

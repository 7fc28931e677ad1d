"""COMPRESS=DEFLATE (RFC 4978): what lies between imaplib and the connection once it is agreed on."""

from __future__ import annotations

import io
import zlib
from typing import Any

from emaild.net.trace import Trace

RAW_DEFLATE = -zlib.MAX_WBITS  # RFC 1951 without the header of RFC 1950, as RFC 4978 §4 asks
PIECE = 16 << 10  # compressed bytes read at once; what becomes of them is bounded by who reads


class Inflated(io.RawIOBase):
    """What *source* holds, decompressed. Wrap it in a BufferedReader.

    Raises:
        ConnectionError: what comes is not compressed.
    """

    def __init__(self, source: io.BufferedReader, trace: Trace | None) -> None:
        self._source = source
        self._trace = trace
        self._inflate = zlib.decompressobj(RAW_DEFLATE)

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill *buffer* as far as may be without another wait; 0 is the end."""
        try:
            given = self._given(len(buffer))
        except zlib.error as error:
            raise ConnectionError("what the server says is not compressed as agreed") from error
        buffer[: len(given)] = given
        if self._trace is not None:
            self._trace.heard(given)
        return len(given)

    def _given(self, most: int) -> bytes:
        # zlib may hold output though it has consumed all input, so it is asked before the connection is.
        given = self._inflate.decompress(self._inflate.unconsumed_tail, most)
        while not given and not self._inflate.eof and (more := self._source.read1(PIECE)):
            given = self._inflate.decompress(more, most)
        return given


class Deflate:
    """Compresses what is said, a command at a time. `level` as zlib has it, from -1 to 9."""

    def __init__(self, level: int, trace: Trace | None) -> None:
        self._deflate = zlib.compressobj(level, wbits=RAW_DEFLATE)
        self._trace = trace

    def __call__(self, data: bytes) -> bytes:
        """The bytes to send; with them the server can read all of *data*."""
        if self._trace is not None:
            self._trace.sent(data)
        return self._deflate.compress(data) + self._deflate.flush(zlib.Z_SYNC_FLUSH)

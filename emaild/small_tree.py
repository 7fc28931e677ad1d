"""XML from outside becomes a tree of elements as long as it stays small."""

from __future__ import annotations

from xml.etree.ElementTree import Element, TreeBuilder


class SmallTree(TreeBuilder):
    """What a parser builds: names lose their namespaces, which real documents mix up.

    Above that many *elements*, each of which takes some hundred bytes of memory, or so many in each other (*depth*),
    *refused* is raised.
    """

    def __init__(self, elements: int, depth: int, refused: Exception) -> None:
        super().__init__()
        self._elements_left, self._depth_left = elements, depth
        self._refused = refused

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        """An element begins."""
        self._depth_left -= 1
        self._elements_left -= 1
        if self._depth_left < 0 or self._elements_left < 0:
            raise self._refused
        return super().start(tag.rpartition("}")[2], attrs)

    def end(self, tag: str, /) -> Element:
        """It ends."""
        self._depth_left += 1
        return super().end(tag.rpartition("}")[2])

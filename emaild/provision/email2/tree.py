"""The XML of a provisioning document: any bytes become a small tree of elements, or are refused."""

from __future__ import annotations

import os
from typing import ClassVar
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException, DTDForbidden
from defusedxml.ElementTree import DefusedXMLParser

from emaild.errors import InputError
from emaild.small_tree import SmallTree

LARGEST = 4 << 20  # bytes; an account takes three thousand
ELEMENTS = 100_000
DEPTH = 24  # elements in elements; a document that is meant so has 9
WBXML = (b"\x01", b"\x02", b"\x03")  # the versions that it begins with (WBXML 1.3 §5.4)


class DocumentUnreadable(InputError):
    """A provisioning document that is none, or that is too big; nothing of it was done."""

    exit_code: ClassVar[int] = os.EX_DATAERR


class _Parser(DefusedXMLParser):  # type: ignore[misc]
    """Passes over a document type that only names its DTD, as WAP documents do; none is ever fetched."""

    def defused_start_doctype_decl(self, name: str, sysid: str, pubid: str, has_internal_subset: int) -> None:
        """Refuse declarations: entities, and defaults of attributes, could be made to fill the memory."""
        if has_internal_subset:
            raise DTDForbidden(name, sysid, pubid)


def tree(content: bytes) -> Element:
    """The root of a document.

    Raises:
        DocumentUnreadable: it is no XML, brings declarations of its own, or is too big.
    """
    if len(content) > LARGEST:
        raise DocumentUnreadable(f"the document has over {LARGEST >> 20} MiB")
    if content.startswith(WBXML):
        raise DocumentUnreadable("the document is WBXML; expected XML as text")
    too_big = DocumentUnreadable(f"the document has over {ELEMENTS} elements, or over {DEPTH} in each other")
    parser = _Parser(target=SmallTree(ELEMENTS, DEPTH, too_big), forbid_dtd=True)
    try:
        parser.feed(content)
        root = parser.close()
    except DefusedXmlException as error:
        raise DocumentUnreadable("the document brings declarations of its own (DTD); they are not read") from error
    except (ParseError, ValueError, LookupError) as error:
        raise DocumentUnreadable(f"the document is no XML: {' '.join(str(error).split())[:200]}") from error
    assert isinstance(root, Element)
    return root


def words(element: Element, *path: str) -> str:
    """The text of a child, or of a child's child, without the blanks around it; "" where it is not there."""
    return verbatim(element, *path).strip()


def verbatim(element: Element, *path: str) -> str:
    """The same, blanks included."""
    found: Element | None = element
    for name in path:
        found = found.find(name) if found is not None else None
    return (found.text or "") if found is not None else ""

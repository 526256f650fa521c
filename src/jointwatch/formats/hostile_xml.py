"""Anybody's bytes as an element tree: the one place where XML from outside is parsed.

A message that is too long, is not UTF-8 or has a document type declaration is refused before the parser sees
it, because its entities are the attack (external files, billions of laughs); entities, network and huge trees
are off all the same.  Comments and processing instructions stay in the tree: whoever reads values takes them
out (`without_remarks`), whoever checks a signature must see where they stood.
Reference: W3C, Extensible Markup Language 1.0 (fifth edition), section 2.8.
"""

from __future__ import annotations

import re
from codecs import getincrementaldecoder

from lxml import etree

from jointwatch.records import BadInput

MAX_BYTES = 8 * 1024 * 1024
"""A longer message is refused unread."""
BEGINNING = 65_536
"""Bytes in which what a message begins with must stand, to be had without reading the rest."""
_PIECE = 4096
_OFF = {
    # the encoding is stated, so that a declaration cannot make the parser see other text than was checked
    "encoding": "utf-8",
    "resolve_entities": False,
    "load_dtd": False,
    "dtd_validation": False,
    "attribute_defaults": False,
    "no_network": True,
    "huge_tree": False,
}
_PROLOG_PART = re.compile(r"[ \t\r\n]+|<\?.*?\?>|<!--.*?-->", re.DOTALL)


def parse_hostile(data: bytes, source: str) -> etree._Element:
    """The root element of the XML document (UTF-8) in `data`; BadInput naming `source` if it is none."""
    if len(data) > MAX_BYTES:
        raise BadInput(source, "message", f"{len(data)} bytes", f"at most {MAX_BYTES}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(source, f"byte {error.start}", "not UTF-8", "an XML message in UTF-8") from None
    _refuse_document_type(text, source)
    try:
        root = etree.fromstring(text.encode("utf-8"), etree.XMLParser(**_OFF))
    except (etree.XMLSyntaxError, ValueError) as error:
        raise BadInput(source, "message", str(error), "well-formed XML") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise BadInput(source, "DOCTYPE", "a document type declaration", "none")
    return root


def parse_beginning(data: bytes, source: str, last: str) -> etree._Element:
    """The root element with what of it stands before the end of the first element called `last`, whatever its
    namespace, and perhaps a little more; BadInput naming `source` if that is no XML, or there is none.

    Comments and processing instructions are left out.  What follows is not read, however much it is.
    """
    try:
        # what is cut within a letter is not wrong for that
        text = getincrementaldecoder("utf-8-sig")().decode(data[:BEGINNING], final=len(data) <= BEGINNING)
    except UnicodeDecodeError as error:
        raise BadInput(source, f"byte {error.start}", "not UTF-8", "an XML message in UTF-8") from None
    _refuse_document_type(text, source)
    parser = etree.XMLPullParser(("end",), tag="{*}" + last, remove_comments=True, remove_pis=True, **_OFF)
    encoded = text.encode("utf-8")
    try:
        for at in range(0, len(encoded), _PIECE):
            parser.feed(encoded[at : at + _PIECE])
            for _, element in parser.read_events():
                root = element.getroottree().getroot()
                _refuse_odd_names(root, source)
                return root
    except (etree.XMLSyntaxError, ValueError) as error:
        raise BadInput(source, "message", str(error), "well-formed XML") from None
    if len(data) <= BEGINNING:
        parse_hostile(data, source)  # says what is wrong with what is no XML
    raise BadInput(source, "message", "none at its beginning", f"a <{last}> in its first {BEGINNING} bytes")


def _refuse_odd_names(root: etree._Element, source: str) -> None:
    """BadInput for an element whose prefix nobody declared, or whose namespace is none: a parser that is not
    done yet lets that pass."""
    for element in root.iter(etree.Element):
        namespace, _, local = element.tag.rpartition("}")
        if ":" in local or "}" in namespace:
            raise BadInput(source, "message", f"<{element.tag}> of no namespace", "well-formed XML")


def without_remarks(root: etree._Element) -> etree._Element:
    """The same tree with comments and processing instructions taken out; the text about one is one text."""
    etree.strip_tags(root, etree.Comment, etree.ProcessingInstruction)
    return root


def _refuse_document_type(text: str, source: str) -> None:
    """BadInput if a document type declaration stands before the root element (it can stand nowhere else)."""
    at = 0
    while match := _PROLOG_PART.match(text, at):
        at = match.end()
    if text.startswith("<!DOCTYPE", at):
        raise BadInput(source, "DOCTYPE", "a document type declaration", "none")

"""XMP packets (ISO 16684-1) as XML trees: parsed without trust, written back with all that is not ours unchanged.

A packet comes out of a stranger's file. The standard library's parser is used only on text that declares no document
type, which is where XML's entity bombs and file inclusions live; XMP never needs one.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Container, Iterator
from typing import Any, TypeGuard
from xml.dom import minidom
from xml.parsers import expat

from tintype.errors import TintypeError

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
MAX_BYTES = 4_000_000
MAX_DEPTH = 100  # real packets nest about 10 deep
MAX_NODES = 20_000  # elements and attributes; real packets have hundreds, and each takes a kilobyte of memory as a tree

_META = "adobe:ns:meta/"
_XMLNS = "http://www.w3.org/2000/xmlns/"
_EMPTY = f'<x:xmpmeta xmlns:x="{_META}"><rdf:RDF xmlns:rdf="{RDF}"/></x:xmpmeta>'
# The id is the one that ISO 16684-1, 7.3.2 prescribes for every packet; U+FEFF tells the encoding.
_BEGIN = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
_END = '\n<?xpacket end="w"?>'
_WRAPPER = re.compile(r"<\?(?:xpacket|xml)\b.*?\?>", re.DOTALL)
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2


class PacketError(TintypeError):
    """A packet is broken or hostile."""


def empty_packet() -> minidom.Document:
    """A packet without properties."""
    return minidom.parseString(_EMPTY)


def parse_packet(packet: bytes) -> minidom.Document:
    """The tree of a packet that holds RDF.

    Parameters
    ----------
    packet : bytes
        With or without the xpacket wrapper, in UTF-8 or, with a byte order mark, UTF-16.

    Raises
    ------
    PacketError
        If it is larger than `MAX_BYTES`, `MAX_DEPTH` or `MAX_NODES` allow, declares a document type, is no
        well-formed XML or holds no RDF.
    """
    if len(packet) > MAX_BYTES:
        raise PacketError(
            f"Expected at most {MAX_BYTES / 1e6:.0f} MB of XMP. Received: {len(packet) / 1e6:.1f} MB."
        )
    text = _WRAPPER.sub("", _decoded(packet)).strip("\ufeff\0 \t\r\n")
    if "<!DOCTYPE" in text:
        raise PacketError(
            "Expected XMP without a document type declaration, which it never needs. It has one."
        )
    try:
        _refuse_excess(text)
        tree = minidom.parseString(text)
    except (expat.ExpatError, ValueError) as error:  # ValueError: minidom on names such as "a:"
        raise PacketError(f"Expected well-formed XML as XMP. Received: {error}.") from None
    if not tree.getElementsByTagNameNS(RDF, "RDF"):
        raise PacketError("Expected RDF in the XMP, but it has no element rdf:RDF.")
    return tree


def write_packet(tree: minidom.Document) -> bytes:
    """A tree as a packet in UTF-8, with the xpacket wrapper."""
    body = "".join(node.toxml() for node in tree.childNodes)
    return f"{_BEGIN}{body}{_END}".encode()


def resources(tree: minidom.Document) -> Iterator[minidom.Element]:
    """The elements rdf:Description that hold a packet's properties."""
    for rdf in tree.getElementsByTagNameNS(RDF, "RDF"):
        yield from (node for node in rdf.childNodes if _is_named(node, RDF, "Description"))


def add_resource(tree: minidom.Document, prefixes: dict[str, str]) -> minidom.Element:
    """A new rdf:Description about what the packet is about, with namespaces declared by their prefixes."""
    about = next((element.getAttributeNS(RDF, "about") for element in resources(tree)), "")
    element = tree.createElementNS(RDF, "rdf:Description")
    element.setAttributeNS(_XMLNS, "xmlns:rdf", RDF)  # the packet may use another prefix for it
    element.setAttributeNS(RDF, "rdf:about", about)
    for prefix, uri in prefixes.items():
        element.setAttributeNS(_XMLNS, f"xmlns:{prefix}", uri)
    tree.getElementsByTagNameNS(RDF, "RDF")[0].appendChild(element)
    return element


def add_property(resource: minidom.Element, uri: str, name: str, value: str | list[str]) -> None:
    """Append a property `name`, such as ``dc:format``: simple text, or an unordered list of texts."""
    tree: Any = resource.ownerDocument
    element = resource.appendChild(tree.createElementNS(uri, name))
    if isinstance(value, str):
        element.appendChild(tree.createTextNode(_clean(value)))
        return
    bag = element.appendChild(tree.createElementNS(RDF, "rdf:Bag"))
    for text in value:
        item = bag.appendChild(tree.createElementNS(RDF, "rdf:li"))
        item.appendChild(tree.createTextNode(_clean(text)))


def find_property(tree: minidom.Document, uri: str, name: str) -> list[str]:
    """The texts of a property, whether it is written as attribute, element or list; empty if it is not there."""
    for resource in resources(tree):
        if resource.hasAttributeNS(uri, name):
            return [resource.getAttributeNS(uri, name)]
        for node in resource.childNodes:
            if _is_named(node, uri, name):
                items = node.getElementsByTagNameNS(RDF, "li")
                return [_text(item) for item in items] if items else [_text(node)]
    return []


def remove_properties(
    tree: minidom.Document, uri: str, which: Container[str] | Callable[[str], bool]
) -> None:
    """Remove the properties of a namespace whose name is one of `which`, or for whose name `which` is true."""
    chosen = which if callable(which) else which.__contains__
    for resource in list(resources(tree)):
        for node in list(resource.childNodes):
            if node.namespaceURI == uri and chosen(node.localName):
                resource.removeChild(node)
        for attribute in list(resource.attributes.values()):
            if attribute.namespaceURI == uri and chosen(attribute.localName):
                resource.removeAttributeNode(attribute)


def remove_empty(tree: minidom.Document) -> None:
    """Take out each rdf:Description that has no property left."""
    for resource in list(resources(tree)):
        properties = [item for item in resource.attributes.values() if item.namespaceURI not in (_XMLNS, RDF)]
        if not properties and not any(node.nodeType == node.ELEMENT_NODE for node in resource.childNodes):
            parent: Any = resource.parentNode
            parent.removeChild(resource)


def _decoded(packet: bytes) -> str:
    utf16 = packet.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return packet.decode("utf-16" if utf16 else "utf-8")
    except UnicodeDecodeError:
        raise PacketError(
            "Expected XMP in UTF-8, or in UTF-16 with a byte order mark. It is neither."
        ) from None


def _refuse_excess(text: str) -> None:
    """Before the tree is made: a packet must not decide how much memory and how deep a recursion it takes."""
    depth = nodes = 0

    def down(_name: str, attributes: dict[str, str]) -> None:
        nonlocal depth, nodes
        depth += 1
        nodes += 1 + len(attributes)
        if depth > MAX_DEPTH or nodes > MAX_NODES:
            raise PacketError(
                f"Expected XMP of at most {MAX_NODES} elements and attributes that nest at most {MAX_DEPTH} deep, "
                "but it has more."
            )

    def up(_name: str) -> None:
        nonlocal depth
        depth -= 1

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = down, up
    parser.Parse(text, True)


def _is_named(node: Any, uri: str, name: str) -> TypeGuard[minidom.Element]:
    return bool(node.nodeType == node.ELEMENT_NODE and node.namespaceURI == uri and node.localName == name)


def _text(node: Any) -> str:
    return "".join(
        child.data
        for child in node.childNodes
        if child.nodeType in (child.TEXT_NODE, child.CDATA_SECTION_NODE)
    )


def _clean(text: str) -> str:
    """The text with a replacement character for each that XML cannot hold."""
    return _ILLEGAL.sub("\ufffd", text)

"""Weights shared between a `.keras` file and an IR.

A `.keras` file is a zip archive, and the arrays in its HDF5 file are neither compressed nor cut into chunks: each lies
in the file as it lies in memory. An IR's XML says of each constant where it begins in the weights' file, and how
long it is. It is made to count in the IR's own small `.bin` with the `.keras` file right behind it.
"""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

_WEIGHTS = "model.weights.h5"
_ALIGNMENT = 64  # bytes; what a processor reads at once
_LOCAL_HEADER = struct.Struct("<26xHH")  # of a zip archive's member: lengths of its name and of what is extra
_SMALLEST = 64  # bytes; what is less is not worth looking for


def arrays_in(keras_file: Path) -> dict[int, Any]:
    """The arrays that lie in a `.keras` file in one piece.

    Parameters
    ----------
    keras_file : Path

    Returns
    -------
    dict of int to ndarray
        By the byte of the file at which they begin.
    """
    import h5py

    with zipfile.ZipFile(keras_file) as archive:
        member = archive.getinfo(_WEIGHTS)
        if member.compress_type != zipfile.ZIP_STORED:
            return {}
        content = archive.read(member)
    begin = _begin(keras_file, member)
    found: dict[int, Any] = {}

    def collect(_: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.id.get_offset() is not None:
            found[begin + item.id.get_offset()] = item[()]

    with h5py.File(io.BytesIO(content)) as file:
        file.visititems(collect)
    return found


def _begin(keras_file: Path, member: zipfile.ZipInfo) -> int:
    with keras_file.open("rb") as file:
        file.seek(member.header_offset)
        name, extra = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
    return member.header_offset + _LOCAL_HEADER.size + int(name) + int(extra)


def share_weights(xml: Path, keras_file: Path) -> None:
    """Leave out of an IR's `.bin` what the `.keras` file has.

    Parameters
    ----------
    xml : Path
        A whole IR, with its `.bin` beside it; both are changed.
    keras_file : Path
        Holds the same weights in the same number format; what it does not hold stays in the `.bin`.
    """
    shared = {array.tobytes(): begin for begin, array in sorted(arrays_in(keras_file).items(), reverse=True)}
    whole, rest = xml.with_suffix(".bin").read_bytes(), io.BytesIO()
    places: dict[bytes, int] = {}
    graph = ElementTree.fromstring(xml.read_bytes())
    constants = [(data, _bytes(data, whole)) for data in graph.iterfind("layers/layer[@type='Const']/data")]
    for _, content in constants:
        if not _is_shared(content, shared) and content not in places:
            rest.write(bytes(-rest.tell() % _ALIGNMENT))
            places[content] = rest.tell()
            rest.write(content)
    # Behind it the arrays of the `.keras` file lie as they are aligned to each other.
    rest.write(bytes(-(rest.tell() + min(shared.values(), default=0)) % _ALIGNMENT))
    behind = rest.tell()
    for data, content in constants:
        place = behind + shared[content] if _is_shared(content, shared) else places[content]
        data.set("offset", str(place))
    for element in graph.iter():  # indentation is a third of the file
        element.text = (element.text or "").strip() or None
        element.tail = None
    xml.with_suffix(".bin").write_bytes(rest.getvalue())
    xml.write_bytes(ElementTree.tostring(graph, encoding="utf-8", xml_declaration=True))


def _is_shared(content: bytes, shared: dict[bytes, int]) -> bool:
    return len(content) >= _SMALLEST and content in shared


def _bytes(data: ElementTree.Element, whole: bytes) -> bytes:
    begin = int(data.attrib["offset"])
    return whole[begin : begin + int(data.attrib["size"])]


def in_half(keras_file: Path) -> dict[bytes, Any]:
    """Of the arrays that a `.keras` file keeps in half precision: each, by the bytes that it has in float32."""
    arrays = arrays_in(keras_file).values()
    return {array.astype(np.float32).tobytes(): array for array in arrays if array.dtype == np.float16}

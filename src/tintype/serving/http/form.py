"""A form (multipart/form-data), taken apart while it comes in.

Strict, because a part that is ignored in silence means a photo coloured in another way than was meant: one file in the
field `photo`, options in fields of their own, nothing else. A text in the place of the file is refused and never
fetched, whatever it looks like. The file's name is kept as a name for the answer and used for nothing else.
"""

from __future__ import annotations

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from tintype.serving.http.contract import OPTION_NAMES
from tintype.serving.http.errors import Refusal, too_large

FIELD = "photo"
_MAX_OPTION = 200  # bytes of an option's value
_MAX_PARTS = 16


class Form:
    """One form; feed it with `write`, then `finish`.

    Parameters
    ----------
    content_type : str
        The request's header, which names the boundary.
    most : int
        Bytes that the file may have.

    Raises
    ------
    Refusal
        400 if there is no usable boundary.
    """

    def __init__(self, content_type: str, most: int) -> None:
        self.content: bytearray | None = None
        self.file_name = ""
        self.options: list[tuple[str, str]] = []
        self._most = most
        self._parts = 0
        self._ended = False
        self._header, self._value = bytearray(), bytearray()
        self._disposition = b""
        self._part: bytearray = bytearray()
        self._part_limit = 0
        self._option = ""
        boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
        if not boundary:
            raise bad_form("Expected a form whose Content-Type names its boundary. Received: none.")
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._on_part_begin,
                    "on_header_field": self._on_header_field,
                    "on_header_value": self._on_header_value,
                    "on_header_end": self._on_header_end,
                    "on_headers_finished": self._on_headers_finished,
                    "on_part_data": self._on_part_data,
                    "on_part_end": self._on_part_end,
                    "on_end": self._on_end,
                },
            )
        except FormParserError as error:
            raise _malformed(error) from None

    def write(self, chunk: bytes) -> None:
        """Take the next bytes.

        Raises
        ------
        Refusal
            400 if they break the form, 413 if the file is too large.
        """
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise _malformed(error) from None

    def finish(self) -> bytes:
        """The file, once all has come.

        Raises
        ------
        Refusal
            400 if the form was cut off or has no file.
        """
        if not self._ended:
            raise bad_form(
                "Expected a whole form, up to its closing boundary. Received: one that was cut off."
            )
        if self.content is None:
            raise bad_form(f"Expected a file in the form's field {FIELD!r}. Received: no such field.")
        return bytes(self.content)

    def _on_part_begin(self) -> None:
        self._parts += 1
        if self._parts > _MAX_PARTS:
            raise bad_form(f"Expected at most {_MAX_PARTS} fields in the form. Received: more.")
        self._disposition = b""

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def _on_headers_finished(self) -> None:
        parameters = parse_options_header(self._disposition)[1]
        name = parameters.get(b"name", b"").decode(errors="replace")
        self._part, self._option = bytearray(), name
        if name == FIELD:
            self._begin_file(parameters.get(b"filename"))
        elif name in OPTION_NAMES:
            self._part_limit = _MAX_OPTION
        else:
            raise bad_form(
                f"Expected the fields {', '.join((FIELD, *OPTION_NAMES))} in the form. Received: {name[:50]!r}."
            )

    def _begin_file(self, file_name: bytes | None) -> None:
        if file_name is None:
            raise bad_form(
                f"Expected a file in the field {FIELD!r}. Received: text. "
                "Send the photo itself; addresses and paths are not fetched."
            )
        if self.content is not None:
            raise bad_form(
                f"Expected one file in the field {FIELD!r}. Received: several. Send one request for each."
            )
        self.file_name = file_name.decode(errors="replace")
        self.content = self._part
        self._part_limit = self._most

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if len(self._part) + end - start > self._part_limit:
            if self._option == FIELD:
                raise too_large(self._most)
            raise bad_form(
                f"Expected at most {_MAX_OPTION} bytes in the field {self._option!r}. Received: more."
            )
        self._part += data[start:end]

    def _on_part_end(self) -> None:
        if self._option != FIELD:
            self.options.append((self._option, self._part.decode(errors="replace")))

    def _on_end(self) -> None:
        self._ended = True


def bad_form(message: str) -> Refusal:
    """The refusal of a form."""
    return Refusal("bad_form", message)


def _malformed(error: Exception) -> Refusal:
    reason = str(error)[:200].rstrip(".")
    return bad_form(
        f"Expected a well-formed form (multipart/form-data). Received one that breaks off: {reason}."
    )

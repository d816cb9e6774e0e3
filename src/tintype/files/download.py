"""A file over HTTP: resumable, checked, and under its own name only when it is whole.

The bytes collect in `.<name>.part` beside the destination and stay there after a failure, with
`.<name>.part.json` saying which version of the file they belong to; the next call goes on from there.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from filelock import lock_descriptor
from tqdm import tqdm
from urllib3.exceptions import NameResolutionError

from tintype.errors import TintypeError
from tintype.files.atomic import write_json
from tintype.files.disk import check_free, disk_errors

TIMEOUT = (10.0, 30.0)  # seconds to connect; seconds without a byte
_CHUNK = 1 << 16  # bytes; what a cut may lose
_LONGEST_PAUSE = 60.0  # seconds
_PROGRESS = _CHUNK  # bytes; less than this does not count as progress, or a drip would never end

Result = TypeVar("Result")


class DownloadError(TintypeError):
    """A file did not come over the network."""


class PassingError(DownloadError):
    """A failure that may pass by itself: worth another try.

    Parameters
    ----------
    message : str
        The sentence, should it not pass.
    after : float
        Seconds that the server asks to be left alone.
    progressed : bool
        Whether the try brought the work forward; then it does not count against the number of tries.
    """

    def __init__(self, message: str, *, after: float = 0.0, progressed: bool = False) -> None:
        super().__init__(message)
        self.after = after
        self.progressed = progressed


def download(
    url: str | Callable[[], str],
    destination: Path,
    *,
    checksum: str | None,
    tries: int = 5,
    pause: float = 1.0,
) -> Path:
    """Download a file, going on from what an earlier call left.

    Parameters
    ----------
    url : str or callable
        The address; or a function that returns a fresh one for each try, for addresses that expire.
    destination : Path
        The file to make. If it is there already with the right checksum, nothing is downloaded.
    checksum : str or None
        `md5:<32 hex digits>` or `sha256:<64 hex digits>`. None: only the size that the server
        announces is checked.
    tries : int
        Tries in a row without any progress before giving up.
    pause : float
        Seconds before the second try; doubled before each further one, up to a minute.

    Returns
    -------
    Path
        `destination`.

    Raises
    ------
    DownloadError
        If the server cannot be found or reached, refuses, keeps failing or cutting the connection, or
        if the bytes do not have the checksum. The message is a sentence with the cure.
    DiskError
        If the disk is full or not writable.
    """
    if checksum and destination.is_file() and digest_of(destination, checksum) == checksum:
        return destination
    part = _Part(destination)
    with disk_errors(destination.parent), part.locked():
        resumed = part.size() > 0
        retry(lambda: _transfer(url() if callable(url) else url, part), tries, pause)
        if checksum and resumed and digest_of(part.path, checksum) != checksum:
            part.discard()  # the start may be another file's: once more from the first byte
            retry(lambda: _transfer(url() if callable(url) else url, part), tries, pause)
        if checksum and (received := digest_of(part.path, checksum)) != checksum:
            size = part.size()
            part.discard()
            raise DownloadError(
                f"Expected {destination.name} with checksum {checksum}. Received {size:,} bytes with {received}. "
                "The file was damaged on the way or is another one: run again, and check the address and the checksum "
                "if it happens twice."
            )
        part.path.replace(destination)
        part.record.unlink(missing_ok=True)
    return destination


def digest_of(path: Path, like: str) -> str:
    """A file's checksum in the form and algorithm of `like`, such as `md5:...`; the file is streamed."""
    algorithm = like.partition(":")[0]
    with path.open("rb") as file:
        return f"{algorithm}:{hashlib.file_digest(file, algorithm).hexdigest()}"


def retry(action: Callable[[], Result], tries: int, pause: float) -> Result:
    """Call `action` until it raises no `PassingError`, at most `tries` times in a row without progress."""
    failed = 0
    while True:
        try:
            return action()
        except PassingError as error:
            failed = 1 if error.progressed else failed + 1
            if failed >= tries or error.after > _LONGEST_PAUSE:
                raise
            time.sleep(max(error.after, min(pause * 2 ** (failed - 1), _LONGEST_PAUSE)))


class _Part:
    """The bytes so far, and the version of the file that they belong to."""

    def __init__(self, destination: Path) -> None:
        self.name = destination.name
        self.path = destination.with_name(f".{destination.name}.part")
        self.record = destination.with_name(f".{destination.name}.part.json")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep a second process from writing to the same bytes."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as file:
            if not lock_descriptor(file.fileno(), blocking=False):
                raise DownloadError(
                    f"Another process is downloading {self.name} to {self.path.parent} right now. "
                    "Wait for it, then run again."
                )
            try:
                yield
            finally:
                if self.path.exists() and not self.size():
                    self.path.unlink()
                    self.record.unlink(missing_ok=True)

    def size(self) -> int:
        return self.path.stat().st_size

    def version(self) -> dict[str, Any]:
        """What the server said of the file: `etag`, `modified` and `size`, each may be None; {} if unknown."""
        try:
            content = json.loads(self.record.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def start(self, version: dict[str, Any]) -> None:
        """Throw away the bytes and begin those of `version`."""
        self.discard()
        write_json(self.record, version)

    def discard(self) -> None:
        with self.path.open("r+b") as file:
            file.truncate()
        self.record.unlink(missing_ok=True)


def _transfer(url: str, part: _Part) -> None:
    """One try: ask for what is missing and append it."""
    done, version = part.size(), part.version()
    if done and not (version.get("etag") or version.get("modified")):
        part.discard()  # nothing says that the rest would belong to these bytes
        done = 0
    if done and done == version.get("size"):
        return
    headers = {"Accept-Encoding": "identity"}  # bytes as stored, so that sizes and ranges mean the same
    if done:
        headers |= {"Range": f"bytes={done}-", "If-Range": version["etag"] or version["modified"]}
    before = done
    try:
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
            if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and done:
                part.discard()
                raise PassingError(
                    f"{_address(url)} has no bytes after {done:,} of {part.name}: its file has changed."
                )
            check_status(response, part.name)
            if response.status_code != HTTPStatus.PARTIAL_CONTENT:
                part.start(_version_of(response))
                done = before = 0
            elif not _continues(response, done, version):
                part.discard()
                raise PassingError(
                    f"{_address(url)} answered with another part of {part.name} than the one asked for."
                )
            _append(response, part, done, part.version()["size"])
    except requests.RequestException as error:
        raise in_words(error, part.name, url, progressed=part.size() - before >= _PROGRESS) from error
    missing = (part.version()["size"] or part.size()) - part.size()
    if missing > 0:
        raise PassingError(_cut(part.name, url), progressed=part.size() - before >= _PROGRESS)
    if missing < 0:
        part.discard()
        raise PassingError(f"{_address(url)} sent {-missing:,} more bytes of {part.name} than it announced.")


def _append(response: requests.Response, part: _Part, done: int, total: int | None) -> None:
    if total is not None:
        check_free(part.path.parent, total - done, part.name)
    with (
        part.path.open("ab") as file,
        tqdm(total=total, initial=done, unit="B", unit_scale=True, desc=part.name, disable=None) as bar,
    ):
        for chunk in response.iter_content(_CHUNK):
            file.write(chunk)
            bar.update(len(chunk))


def _version_of(response: requests.Response) -> dict[str, Any]:
    """The version of a file that is sent from its first byte."""
    etag = response.headers.get("ETag")
    length = response.headers.get("Content-Length", "")
    return {
        "etag": None if etag is None or etag.startswith("W/") else etag,  # a weak tag promises no equal bytes
        "modified": response.headers.get("Last-Modified"),
        "size": int(length) if length.isdecimal() else None,
    }


def _continues(response: requests.Response, done: int, version: dict[str, Any]) -> bool:
    """Whether a partial answer goes on exactly where the bytes end, in the same version of the file."""
    span, _, total = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
    same_start = span.partition("-")[0] == str(done)
    same_size = version.get("size") is None or total in ("*", str(version["size"]))
    same_tag = version.get("etag") is None or response.headers.get("ETag", version["etag"]) == version["etag"]
    return same_start and same_size and same_tag


def check_status(response: requests.Response, what: str) -> None:
    """Refuse an answer that does not carry the file.

    Parameters
    ----------
    response : requests.Response
        The answer.
    what : str
        What was asked for, for the sentence.

    Raises
    ------
    PassingError
        For 408, 429 and 5xx.
    DownloadError
        For every other status that is not 2xx.
    """
    status = response.status_code
    where = _address(response.url)
    if status < HTTPStatus.BAD_REQUEST and response.ok:
        return
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        after = _seconds(response.headers.get("Retry-After", ""))
        wait = f"{after:.0f} seconds" if after else "a few minutes"
        raise PassingError(
            f"{where} refuses {what} for now: too many requests (429). Wait {wait}, then run again.",
            after=after,
        )
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        raise PassingError(
            f"{where} fails to send {what} (status {status}). This is the server's trouble: run again later."
        )
    raise DownloadError(_REFUSALS.get(status, _OTHER).format(where=where, what=what, status=status))


_REFUSALS = {
    401: "{where} wants a login for {what} (401). Use an address that needs none, or put the login in ~/.netrc.",
    403: "{where} forbids access to {what} (403). Check the address; a link with a signature may have expired.",
    404: "There is no {what} at {where} (404). Check the address.",
    410: "There is no {what} at {where} any more (410). Find its new address.",
}
_OTHER = "{where} refuses {what} (status {status}). Check the address."


def in_words(
    error: requests.RequestException, what: str, url: str, *, progressed: bool = False
) -> DownloadError:
    """A failed connection as a sentence.

    Parameters
    ----------
    error : requests.RequestException
        What requests raised.
    what : str
        What was asked for.
    url : str
        Where.
    progressed : bool
        See `PassingError`.

    Returns
    -------
    DownloadError
        A `PassingError` if another try may help.
    """
    where = _address(url)
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    if isinstance(error, requests.exceptions.SSLError):
        return DownloadError(
            f"The connection to {where} for {what} is not trusted: {reason or error}. "
            "Check this machine's clock and certificates; behind a proxy, set REQUESTS_CA_BUNDLE."
        )
    if isinstance(error, requests.exceptions.ProxyError):
        return DownloadError(
            f"The proxy on the way to {where} refuses {what}. Check HTTP_PROXY and HTTPS_PROXY."
        )
    if isinstance(reason, NameResolutionError):
        return PassingError(
            f"No address is known for {urlsplit(url).hostname}, where {what} should be. "
            "Check the internet connection and the spelling of the address."
        )
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return PassingError(
            f"{where} does not answer. Check the internet connection, then run again for {what}."
        )
    if isinstance(error, (requests.exceptions.ReadTimeout, requests.exceptions.ChunkedEncodingError)):
        return PassingError(_cut(what, url), progressed=progressed)
    if isinstance(error, requests.exceptions.ConnectionError):
        if reason is None:  # the connection was there
            return PassingError(_cut(what, url), progressed=progressed)
        return PassingError(
            f"No connection to {where} for {what}: {_cause(reason)}. Check the internet connection and the address."
        )
    return DownloadError(f"Expected an address to download {what} from. Received {url!r}: {error}.")


def _cut(what: str, url: str) -> str:
    return (
        f"The connection to {_address(url)} was cut in the middle of {what}. "
        "Run again: the download continues where it was."
    )


def _cause(reason: Exception) -> str:
    """The system's words for a failed connection, without urllib3's object names."""
    cause = reason.__cause__ or reason.__context__
    return str(getattr(cause, "strerror", None) or reason).lower()


def _address(url: str) -> str:
    """Scheme, host and path: a query may hold a signature, which belongs in no message."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"


def _seconds(retry_after: str) -> float:
    return float(retry_after) if retry_after.isdecimal() else 0.0

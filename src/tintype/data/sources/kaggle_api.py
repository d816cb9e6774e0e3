"""What Kaggle is asked through its official client: which version is the newest, and where its archive lies.

The client finds the credentials, adds them and follows the API; here its failures become sentences. Its version is
pinned, since two of its names that are used here are private: `_session_of` and `_send_local_to` are the places.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from tintype.data.sources.source import SourceError
from tintype.files.download import TIMEOUT, check_status, in_words

if TYPE_CHECKING:
    from kagglesdk import KaggleClient

# A local server instead of Kaggle, such as http://localhost:8000
ENDPOINT_VARIABLE = "TINTYPE_KAGGLE_ENDPOINT"
_ENVIRONMENT_VARIABLE = "KAGGLE_API_ENVIRONMENT"  # the client's own
_HASHES_HEADER = "x-goog-hash"  # of the storage behind Kaggle: crc32c=<base64>,md5=<base64>

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Dataset:
    """A version of a data set.

    Parameters
    ----------
    name : str
        owner/name.
    version : int or None
        None: the newest, whichever that is.
    """

    name: str
    version: int | None

    def __str__(self) -> str:
        return self.name if self.version is None else f"{self.name} version {self.version}"


@dataclass(frozen=True)
class ArchiveLocation:
    """Where an archive lies.

    Parameters
    ----------
    url : str
        Signed: it needs no credentials and works for a while only.
    checksum : str or None
        `md5:<32 hex digits>`; None if the storage does not say.
    """

    url: str
    checksum: str | None


def newest_version(name: str) -> int:
    """The number of a data set's newest version.

    Parameters
    ----------
    name : str
        owner/name.

    Returns
    -------
    int
        From 1.

    Raises
    ------
    SourceError
        If Kaggle refuses: no or wrong credentials, rules not accepted, no such data set.
    DownloadError
        If Kaggle cannot be reached, fails, or asks to wait.
    """

    def ask(client: KaggleClient) -> int:
        from kagglesdk.datasets.types.dataset_api_service import ApiGetDatasetRequest

        request = ApiGetDatasetRequest()
        request.owner_slug, request.dataset_slug = name.split("/")
        return int(client.datasets.dataset_api_client.get_dataset(request).current_version_number)

    return _call_kaggle(Dataset(name, None), ask)


def locate(dataset: Dataset) -> ArchiveLocation:
    """Where a data set's archive lies, and its checksum.

    Parameters
    ----------
    dataset : Dataset
        With a version.

    Returns
    -------
    ArchiveLocation
        For a download soon.

    Raises
    ------
    SourceError, DownloadError
        As `newest_version`.
    """

    def ask(client: KaggleClient) -> ArchiveLocation:
        from kagglesdk.datasets.types.dataset_api_service import ApiDownloadDatasetRequest

        request = ApiDownloadDatasetRequest()
        request.owner_slug, request.dataset_slug = dataset.name.split("/")
        request.dataset_version_number = dataset.version
        # The client follows the redirect to the storage; only the headers have come so far.
        with client.datasets.dataset_api_client.download_dataset(request) as response:
            return ArchiveLocation(response.url, _md5_in(response.headers.get(_HASHES_HEADER, "")))

    return _call_kaggle(dataset, ask)


def _md5_in(hashes: str) -> str | None:
    for item in hashes.split(","):
        name, _, value = item.strip().partition("=")
        if name == "md5":
            return f"md5:{base64.b64decode(value).hex()}"
    return None


def _call_kaggle(dataset: Dataset, ask: Callable[[KaggleClient], Answer]) -> Answer:
    with _client() as client:
        session = _session_of(client)
        for scheme in ("https://", "http://"):
            session.mount(scheme, _TimeoutAdapter())
        try:
            return ask(client)
        except requests.HTTPError as error:
            raise _refusal(error, dataset, known=bool(session.auth)) from error
        except requests.exceptions.InvalidJSONError as error:
            raise _not_kaggle(dataset, error) from error
        except requests.RequestException as error:
            url = error.request.url if error.request and error.request.url else "https://api.kaggle.com"
            raise in_words(error, str(dataset), url) from error
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise _not_kaggle(dataset, error) from error


@contextmanager
def _client() -> Iterator[KaggleClient]:
    from kagglehub.clients import build_kaggle_client

    with _endpoint():
        try:
            client = build_kaggle_client()
        except (ValueError, OSError) as error:
            raise SourceError(f"The credentials for Kaggle cannot be read: {error}. {_GET_TOKEN}") from None
    with client:
        yield client


@contextmanager
def _endpoint() -> Iterator[None]:
    """Point the client that is made in this block to another server if the user says so."""
    url = os.environ.get(ENDPOINT_VARIABLE)
    if not url:
        yield
        return
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise SourceError(
            f"Expected an address such as http://localhost:8000 in {ENDPOINT_VARIABLE}. Received {url!r}."
        )
    before = os.environ.get(_ENVIRONMENT_VARIABLE)
    _send_local_to(url.rstrip("/"))
    os.environ[_ENVIRONMENT_VARIABLE] = "LOCALHOST"
    try:
        yield
    finally:
        os.environ.pop(_ENVIRONMENT_VARIABLE)
        if before is not None:
            os.environ[_ENVIRONMENT_VARIABLE] = before


def _send_local_to(url: str) -> None:
    """Have the client's environment LOCALHOST mean this address."""
    from kagglesdk import kaggle_env

    kaggle_env._env_to_endpoint[kaggle_env.KaggleEnv.LOCAL] = url


def _session_of(client: KaggleClient) -> requests.Session:
    session: requests.Session = client.http_client()._session
    return session


class _TimeoutAdapter(HTTPAdapter):
    """Gives up on a silent server; the client itself would wait for ever."""

    def send(self, request: Any, **options: Any) -> Any:  # type: ignore[override]
        return super().send(request, **(options | {"timeout": options.get("timeout") or TIMEOUT}))


_GET_TOKEN = (
    "Create a token at https://www.kaggle.com/settings and put it into the variable KAGGLE_API_TOKEN "
    "or the file ~/.kaggle/access_token."
)


def _refusal(error: requests.HTTPError, dataset: Dataset, *, known: bool) -> SourceError:
    """Kaggle's refusal as a sentence; raises a `DownloadError` for a failure that may pass."""
    response = error.response
    status = _status_of(response)
    page = f"https://www.kaggle.com/datasets/{dataset.name}"
    if status == 401 and known:
        return SourceError(f"Kaggle does not accept these credentials for {dataset} (401). {_GET_TOKEN}")
    if status in (401, 403) and not known:
        return SourceError(
            f"Kaggle wants to know who asks for {dataset} ({status}), and found no credentials here. {_GET_TOKEN}"
        )
    if status == 403:
        return SourceError(
            f"Kaggle forbids access to {dataset} (403). Open {page}, sign in as the owner of the token "
            "and accept the rules of the data set; or check the spelling of fetch.kaggle_dataset."
        )
    if status == 404:
        return SourceError(
            f"There is no {dataset} on Kaggle (404). Look for it at {page}, "
            "and check fetch.kaggle_dataset and fetch.kaggle_version."
        )
    response.status_code = status
    check_status(response, str(dataset))
    return _not_kaggle(dataset, error)


def _status_of(response: requests.Response) -> int:
    """The status; Kaggle also puts one into the body of an answer with status 200."""
    try:
        return int(response.json()["code"])
    except (ValueError, KeyError, TypeError, requests.RequestException):
        return response.status_code


def _not_kaggle(dataset: Dataset, error: Exception) -> SourceError:
    return SourceError(
        f"The answer for {dataset} does not look like Kaggle's ({type(error).__name__}: {error}). "
        f"Check the internet connection for a login page, and {ENDPOINT_VARIABLE} if it is set."
    )

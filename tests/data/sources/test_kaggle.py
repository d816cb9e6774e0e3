"""The real client of Kaggle against a server that speaks its protocol."""

import json
import os
import random
import resource
import time
import zipfile

import pytest

from tintype.data.sources import kaggle_api
from tintype.data.sources.fetch import fetch
from tintype.data.sources.source import SourceError
from tintype.errors import TintypeError
from tintype.files.archive import ArchiveError
from tintype.files.disk import DiskError
from tintype.files.download import DownloadError

TOKEN = "KGAT_test"
NAME = "ifigotin/imagenetmini-1000"


def write_archive(path, extra=()):
    """A data set in the shape of imagenetmini-1000: 12 photos of 50 kB of noise in 3 classes."""
    noise = random.Random(7)
    with zipfile.ZipFile(path, "w") as file:
        for half, count in (("train", 3), ("val", 1)):
            for label in ("n01440764", "n02084071", "n03924679"):
                for number in range(count):
                    file.writestr(f"imagenet-mini/{half}/{label}/{number}.JPEG", noise.randbytes(50_000))
        file.writestr("imagenet-mini/readme.txt", b"not a photo")
        for name in extra:
            file.writestr(name, b"")


@pytest.fixture
def server(kaggle_server, tmp_path, monkeypatch):
    archive = tmp_path / "served.zip"
    write_archive(archive)
    for variable in ("KAGGLE_USERNAME", "KAGGLE_KEY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))  # whoever runs the tests may have credentials there
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(tmp_path / "home"))
    monkeypatch.setenv("KAGGLE_API_TOKEN", TOKEN)
    # For the name of the caller in its User-Agent the client reads the source of the whole stack, a second each time.
    monkeypatch.setattr("kagglehub.clients.search_lib_in_call_stack", lambda name: None)
    with kaggle_server.running(kaggle_server.KaggleServer(archive, token=TOKEN)) as running:
        monkeypatch.setenv(kaggle_api.ENDPOINT_VARIABLE, running.url)
        yield running


@pytest.fixture
def fault(server, kaggle_server):
    def add(kind, where, **options):
        server.faults.append(kaggle_server.Fault(kind, where, **options))

    return add


@pytest.fixture
def raw(tmp_path):
    return tmp_path / "data" / "raw"


@pytest.fixture
def get(params, server, raw, tmp_path):
    def call(**changes):
        fetch(params("kaggle", **changes), tmp_path / "unused", raw, pause=0.001)
        return json.loads((raw / "source.json").read_text())

    return call


def photos(raw):
    return sorted(path.relative_to(raw / "photos").as_posix() for path in raw.rglob("*.JPEG"))


def left_in(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_the_photos_arrive_and_only_they(get, raw, server):
    record = get()
    assert (record["source"], record["name"], record["version"]) == ("kaggle", NAME, 1)
    assert (record["photos"], record["bytes"]) == (12, 600_000)
    with zipfile.ZipFile(server.archive) as file:
        expected = {name: file.read(name) for name in file.namelist() if name.endswith("JPEG")}
    assert {name: (raw / "photos" / name).read_bytes() for name in photos(raw)} == expected
    assert left_in(raw) == ["left_out.csv", "photos", "source.json"]
    assert left_in(raw.parent) == ["raw"]


def test_the_token_goes_to_the_api_and_not_to_the_storage(get, server):
    get()
    assert [r.headers["Authorization"] for r in server.requests if r.method == "POST"] == [f"Bearer {TOKEN}"]
    assert "Authorization" not in server.storage_requests()[-1].headers


def test_user_name_and_key_are_credentials_too(get, server, monkeypatch):
    server.token = None
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    monkeypatch.setenv("KAGGLE_USERNAME", "someone")
    monkeypatch.setenv("KAGGLE_KEY", "key")
    get()
    assert server.requests[0].headers["Authorization"].startswith("Basic ")


def test_a_public_data_set_needs_no_credentials(get, server, monkeypatch):
    server.token = None
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    assert get()["photos"] == 12
    assert "Authorization" not in server.requests[0].headers


def test_without_a_version_it_is_the_newest(get, server):
    server.version = 7
    assert get(kaggle_version=None)["version"] == 7
    assert server.requests[-2].path.startswith("/storage/")
    assert [r.body.get("datasetVersionNumber") for r in server.requests if "Download" in r.path] == [7]


def test_what_is_there_is_not_downloaded_again(get, server, raw):
    get()
    server.requests.clear()
    before = raw.stat().st_ino
    get()
    assert server.requests == []
    assert raw.stat().st_ino == before


@pytest.mark.parametrize("change", ["subset", "version", "damaged photo", "lost photo"])
def test_what_differs_is_downloaded_again(get, server, raw, change):
    get()
    options = {}
    if change == "subset":
        options = {"photos_per_class": 2}
    elif change == "version":
        server.version = 2
        options = {"kaggle_version": 2}
    elif change == "damaged photo":
        (raw / "photos" / photos(raw)[0]).write_bytes(b"bad")
    else:
        (raw / "photos" / photos(raw)[0]).unlink()
    record = get(**options)
    assert record["photos"] == len(photos(raw)) == (6 if change == "subset" else 12)
    assert all((raw / "photos" / name).stat().st_size == 50_000 for name in photos(raw))


def test_a_larger_subset_keeps_the_photos_of_a_smaller_one(get, raw):
    get(photos=5)
    few = set(photos(raw))
    get(photos=8)
    assert len(few) == 5
    assert len(photos(raw)) == 8
    assert few < set(photos(raw))


def test_an_archive_without_a_checksum_is_still_checked_by_its_size(get, server, fault):
    server.md5 = False
    fault("cut", "storage", times=2, at=200_000)
    assert get()["photos"] == 12


@pytest.mark.parametrize(
    ("token", "words"),
    [
        (
            None,
            r"who asks for ifigotin/imagenetmini-1000 version 1 \(401\), and found no credentials here.*settings",
        ),
        (
            "KGAT_wrong",
            r"does not accept these credentials .* \(401\)\. Create a token at https://www\.kaggle\.com",
        ),
    ],
)
def test_no_and_wrong_credentials_are_two_sentences(get, raw, monkeypatch, token, words):
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    if token:
        monkeypatch.setenv("KAGGLE_API_TOKEN", token)
    with pytest.raises(SourceError, match=words) as caught:
        get()
    assert "KGAT" not in str(caught.value)
    assert left_in(raw.parent) == []


def test_a_broken_credentials_file_is_a_sentence(get, tmp_path, monkeypatch):
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "kaggle.json").write_text("{")
    with pytest.raises(
        SourceError, match=r"credentials for Kaggle cannot be read: .*kaggle\.json.*Create a token"
    ):
        get()


@pytest.mark.parametrize("where", ["version", "download"])
@pytest.mark.parametrize(
    ("kind", "options", "error", "words"),
    [
        (
            "403",
            {},
            SourceError,
            r"forbids access .*\(403\)\. Open https://www\.kaggle.com/datasets/ifigotin/.*rules",
        ),
        (
            "404",
            {},
            SourceError,
            r"There is no ifigotin/imagenetmini-1000.* on Kaggle \(404\).*fetch\.kaggle_dataset",
        ),
        ("200", {"body": {"code": 403, "message": "Accept the rules"}}, SourceError, r"accept the rules"),
        (
            "429",
            {"headers": {"Retry-After": "90"}},
            DownloadError,
            r"too many requests \(429\)\. Wait 90 seconds",
        ),
        ("500", {}, DownloadError, r"server's trouble: run again later"),
        ("503", {}, DownloadError, r"status 503"),
        ("html", {}, TintypeError, r"(does not look like Kaggle's|is not a ZIP file)"),
    ],
)
def test_a_refusal_is_a_sentence_and_leaves_nothing(get, raw, fault, where, kind, options, error, words):
    fault(kind, "storage" if (kind, where) == ("html", "download") else "api", times=20, **options)
    with pytest.raises(error, match=words):
        get(kaggle_version=None if where == "version" else 1)
    assert left_in(raw) == []
    assert left_in(raw.parent / ".download") == []


def test_the_wrong_name_or_version_is_a_sentence(get):
    with pytest.raises(SourceError, match="There is no some/thing version 1 on Kaggle"):
        get(kaggle_dataset="some/thing")
    with pytest.raises(SourceError, match="There is no ifigotin/imagenetmini-1000 version 9 on Kaggle"):
        get(kaggle_version=9)


def test_no_server_and_no_address_are_sentences(get, monkeypatch):
    monkeypatch.setenv(kaggle_api.ENDPOINT_VARIABLE, "http://127.0.0.1:9")
    with pytest.raises(DownloadError, match=r"No connection to http://127\.0\.0\.1:9/.* connection refused"):
        get()
    monkeypatch.setenv(kaggle_api.ENDPOINT_VARIABLE, "localhost:9")
    with pytest.raises(SourceError, match="Expected an address such as http://localhost:8000"):
        get()


def test_a_silent_api_is_given_up_on(get, fault, monkeypatch):
    monkeypatch.setattr(kaggle_api, "TIMEOUT", (1.0, 0.2))
    fault("silence", "api", times=20, at=8)
    start = time.monotonic()
    with pytest.raises(DownloadError, match="cut in the middle of ifigotin"):
        get()
    assert time.monotonic() - start < 30  # twenty waits of the default length would be far more


def test_trouble_of_the_api_that_passes_is_waited_for(get, fault):
    fault("503", "api", times=2)
    assert get()["photos"] == 12


def test_a_cut_is_continued_with_a_new_address_when_the_old_one_has_expired(get, server, fault):
    server.uses = 2  # once for the client to see the headers, once for the bytes
    fault("cut", "storage", times=3, at=250_000)
    assert get()["photos"] == 12
    spans = [r.headers.get("Range") for r in server.storage_requests() if "Range" in r.headers]
    assert [span for span in spans if int(span.removeprefix("bytes=").rstrip("-")) > 150_000]
    assert len({r.path for r in server.storage_requests()}) > 1


def test_after_a_cut_for_good_the_old_photos_stay_and_the_next_run_continues(get, server, fault, raw):
    get(photos=3)
    old = photos(raw)
    fault("cut", "storage", times=2, at=300_000)
    fault("cut", "storage", times=50, at=1)
    with pytest.raises(DownloadError, match=r"cut in the middle of .*: the download continues where it was"):
        get()
    assert photos(raw) == old
    assert left_in(raw.parent / ".download")[0].endswith(".zip.part")
    server.faults.clear()
    server.requests.clear()
    assert get()["photos"] == 12
    assert int(server.storage_requests()[-1].headers["Range"].removeprefix("bytes=").rstrip("-")) > 200_000
    assert left_in(raw.parent) == ["raw"]


@pytest.mark.parametrize("member", ["../evil.jpg", "/tmp/evil.jpg", "imagenet-mini"])
def test_an_archive_that_is_not_to_be_trusted_is_refused_as_a_whole(get, server, raw, member):
    write_archive(server.archive, [member])
    with pytest.raises(ArchiveError, match=r"is refused: .*Nothing of it is used"):
        get()
    assert left_in(raw.parent) in ([], [".download"])
    assert left_in(raw.parent / ".download") == []


def test_an_archive_without_photos_is_a_sentence(get, server):
    with zipfile.ZipFile(server.archive, "w") as file:
        file.writestr("readme.txt", b"only words")
    with pytest.raises(
        SourceError, match=r"Expected photos in ifigotin/imagenetmini-1000 version 1 on Kaggle\. Found none"
    ):
        get()


def test_after_a_full_disk_the_archive_is_used_again(get, server, raw):
    with zipfile.ZipFile(server.archive, "w", zipfile.ZIP_DEFLATED) as file:  # larger than its archive
        file.writestr("a/photo.jpg", os.urandom(1000) * 1000)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, limits[1]))
    try:
        with pytest.raises(DiskError, match=r"The disk is full.*Free some space and run again"):
            get()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert left_in(raw) == []
    server.requests.clear()
    assert get()["photos"] == 1
    assert server.requests == []

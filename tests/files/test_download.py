import hashlib
import resource
import time
from pathlib import Path

import pytest
from filelock import lock_descriptor

from tintype.files import download as download_module
from tintype.files.disk import DiskError, check_free, disk_errors
from tintype.files.download import DownloadError, download


@pytest.fixture
def checksum(server):
    return f"sha256:{hashlib.sha256(server.archive.read_bytes()).hexdigest()}"


@pytest.fixture
def destination(tmp_path):
    return tmp_path / "downloads" / "noise.bin"


@pytest.fixture
def fault(server, kaggle_server):
    def add(kind, **options):
        server.faults.append(kaggle_server.Fault(kind, "storage", **options))

    return add


def ranges(server):
    return [request.headers.get("Range") for request in server.requests]


def test_brings_the_bytes_and_leaves_nothing_else(server, destination, checksum):
    download(server.signed(), destination, checksum=checksum)
    assert destination.read_bytes() == server.archive.read_bytes()
    assert list(destination.parent.iterdir()) == [destination]


def test_md5_is_a_checksum_too(server, destination):
    md5 = f"md5:{hashlib.md5(server.archive.read_bytes()).hexdigest()}"
    assert download(server.signed(), destination, checksum=md5) == destination


def test_a_file_that_is_there_is_not_downloaded_again(server, destination, checksum):
    for _ in range(2):
        download(server.signed(), destination, checksum=checksum)
    assert len(server.requests) == 1


def test_a_file_with_other_bytes_is_replaced(server, destination, checksum):
    destination.parent.mkdir()
    destination.write_bytes(b"something else")
    download(server.signed(), destination, checksum=checksum)
    assert destination.read_bytes() == server.archive.read_bytes()


def test_a_cut_is_continued_where_it_was(server, destination, checksum, fault):
    fault("cut", at=400_000)
    fault("cut", at=300_000)
    download(server.signed(), destination, checksum=checksum, pause=0.01)
    assert destination.read_bytes() == server.archive.read_bytes()
    starts = [int(span.removeprefix("bytes=").rstrip("-")) for span in ranges(server)[1:]]
    assert ranges(server)[0] is None
    assert 300_000 < starts[0] <= 400_000
    assert 500_000 < starts[1] <= 700_000


def test_cuts_that_bring_progress_do_not_count_as_tries(server, destination, checksum, fault):
    fault("cut", times=7, at=140_000)
    download(server.signed(), destination, checksum=checksum, tries=2, pause=0.01)
    assert destination.read_bytes() == server.archive.read_bytes()


def test_the_next_call_continues_after_a_connection_that_stays_cut(server, destination, checksum, fault):
    fault("cut", at=500_000)
    fault("cut", times=10, at=1)
    with pytest.raises(DownloadError, match=r"cut in the middle of noise\.bin.*Run again.*continues"):
        download(server.signed(), destination, checksum=checksum, tries=2, pause=0.01)
    assert not destination.exists()
    server.faults.clear()
    server.requests.clear()
    download(server.signed(), destination, checksum=checksum)
    assert destination.read_bytes() == server.archive.read_bytes()
    assert int(ranges(server)[0].removeprefix("bytes=").rstrip("-")) > 400_000


def test_a_file_that_changed_in_between_is_not_glued_to_the_old_one(server, destination, fault):
    fault("cut", at=500_000)
    fault("cut", times=10, at=1)
    with pytest.raises(DownloadError):
        download(server.signed(), destination, checksum=None, tries=2, pause=0.01)
    server.faults.clear()
    server.archive.write_bytes(bytes(1_000_000))
    download(server.signed(), destination, checksum=None)
    assert destination.read_bytes() == bytes(1_000_000)


@pytest.mark.parametrize("kind", ["ignore-range", "wrong-range", "short-range"])
def test_only_the_bytes_that_were_asked_for_are_appended(server, destination, fault, kind):
    fault("cut", at=500_000)
    fault(kind, at=100_000)
    download(server.signed(), destination, checksum=None, pause=0.01)  # no checksum that would notice
    assert destination.read_bytes() == server.archive.read_bytes()


def test_a_range_is_asked_for_one_version_of_the_file(server, destination, checksum, fault):
    fault("cut", at=500_000)
    download(server.signed(), destination, checksum=checksum, pause=0.01)
    assert server.requests[1].headers["If-Range"].startswith('"')


def test_bytes_that_went_bad_on_disk_are_fetched_anew(server, destination, checksum, fault):
    fault("cut", at=500_000)
    fault("cut", times=10, at=1)
    with pytest.raises(DownloadError):
        download(server.signed(), destination, checksum=checksum, tries=2, pause=0.01)
    server.faults.clear()
    part = destination.with_name(".noise.bin.part")
    part.write_bytes(bytes(part.stat().st_size))
    download(server.signed(), destination, checksum=checksum)
    assert destination.read_bytes() == server.archive.read_bytes()


def test_a_wrong_checksum_is_named_and_nothing_is_left(server, destination, checksum, fault):
    fault("garbage", times=10)
    with pytest.raises(DownloadError, match=f"checksum {checksum}. Received 1,000,000 bytes with sha256:"):
        download(server.signed(), destination, checksum=checksum)
    assert list(destination.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("status", "words", "requests"),
    [
        (401, r"wants a login for noise\.bin \(401\)", 1),
        (403, r"forbids access to noise\.bin \(403\)", 1),
        (404, r"no noise\.bin at http://.* \(404\)", 1),
        (410, r"any more \(410\)", 1),
        (418, r"refuses noise\.bin \(status 418\)", 1),
        (429, r"too many requests \(429\)\. Wait a few minutes", 3),
        (500, r"server's trouble: run again later", 3),
        (503, r"status 503", 3),
    ],
)
def test_a_refusal_is_a_sentence_and_only_what_may_pass_is_tried_again(
    server, destination, checksum, fault, status, words, requests
):
    fault(str(status), times=10)
    with pytest.raises(DownloadError, match=words) as caught:
        download(server.signed(), destination, checksum=checksum, tries=3, pause=0.01)
    assert len(server.requests) == requests
    assert "Signature=" not in str(caught.value), "a signed address is a secret"
    assert list(destination.parent.iterdir()) == []


def test_trouble_that_passes_is_waited_for(server, destination, checksum, fault):
    fault("503", times=2)
    fault("429", headers={"Retry-After": "1"})
    start = time.monotonic()
    download(server.signed(), destination, checksum=checksum, pause=0.01)
    assert time.monotonic() - start > 1
    assert destination.exists()


def test_a_long_wait_is_reported_instead_of_slept_through(server, destination, checksum, fault):
    fault("429", headers={"Retry-After": "3600"})
    with pytest.raises(DownloadError, match="Wait 3600 seconds"):
        download(server.signed(), destination, checksum=checksum)


def test_a_silent_server_is_given_up_on(server, destination, checksum, fault, monkeypatch):
    monkeypatch.setattr(download_module, "TIMEOUT", (1.0, 0.2))
    fault("silence", times=10, at=8)
    start = time.monotonic()
    with pytest.raises(DownloadError, match=r"noise\.bin"):
        download(server.signed(), destination, checksum=checksum, tries=2, pause=0.01)
    assert time.monotonic() - start < 7


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (
            "http://nowhere.invalid/noise.bin",
            r"No address is known for nowhere\.invalid.*internet connection",
        ),
        ("http://127.0.0.1:9/noise.bin", "No connection to .*: connection refused"),
        ("noise.bin", "Expected an address to download noise"),
    ],
)
def test_no_connection_is_a_sentence(destination, url, words):
    with pytest.raises(DownloadError, match=words):
        download(url, destination, checksum=None, tries=1)


def test_a_second_process_does_not_write_to_the_same_bytes(server, destination, checksum):
    destination.parent.mkdir()
    with destination.with_name(".noise.bin.part").open("ab") as other:
        lock_descriptor(other.fileno())
        with pytest.raises(DownloadError, match="Another process is downloading"):
            download(server.signed(), destination, checksum=checksum)
    download(server.signed(), destination, checksum=checksum)


def test_a_full_disk_is_a_sentence_and_what_came_is_kept(server, destination, checksum):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, limits[1]))
    try:
        with pytest.raises(DiskError, match=r"The disk is full: .*Free some space and run again"):
            download(server.signed(), destination, checksum=checksum)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not destination.exists()
    download(server.signed(), destination, checksum=checksum)
    assert destination.read_bytes() == server.archive.read_bytes()
    assert int(ranges(server)[1].removeprefix("bytes=").rstrip("-")) > 200_000


def test_the_systems_own_word_for_no_space_is_understood(tmp_path):
    full = Path("/dev/full")
    with pytest.raises(DiskError, match="disk is full: No space left on device"), disk_errors(tmp_path):
        full.write_bytes(b"x")


def test_what_will_not_fit_is_not_begun(tmp_path):
    with pytest.raises(DiskError, match=r"noise needs .* MB in .*only .* MB are free"):
        check_free(tmp_path / "not" / "there", 1 << 60, "noise")

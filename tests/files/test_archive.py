import os
import stat
import struct
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tintype.files.archive import ArchiveError, Limits, open_archive
from tintype.files.disk import DiskError


@pytest.fixture
def make(tmp_path):
    """Write an archive from pairs of name or ZipInfo, and content."""

    def write(*members, name="photos.zip"):
        path = tmp_path / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            for member, content in members:
                file.writestr(member, content)
        return path

    return write


def with_mode(name, mode):
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def unpack(path, folder, **options):
    folder.mkdir()
    with open_archive(path, **options) as archive:
        return list(archive.extract(sorted(archive.members), folder))


def test_files_come_out_as_they_went_in(make, tmp_path):
    content = os.urandom(3_000_000)
    path = make(("mini/train/n01/a.JPEG", content), ("mini/", b""), ("b.png", b""))
    assert unpack(path, tmp_path / "out") == ["b.png", "mini/train/n01/a.JPEG"]
    assert (tmp_path / "out" / "mini/train/n01/a.JPEG").read_bytes() == content


def test_only_what_is_asked_for_is_written(make, tmp_path):
    path = make(("a.jpg", b"a"), ("b.jpg", b"b"))
    (tmp_path / "out").mkdir()
    with open_archive(path) as archive:
        list(archive.extract(["b.jpg"], tmp_path / "out"))
    assert names_in(tmp_path / "out") == ["b.jpg"]


def test_rights_in_the_archive_do_not_count(make, tmp_path):
    unpack(make((with_mode("a.jpg", stat.S_IFREG | 0o6777), b"a")), tmp_path / "out")
    assert (tmp_path / "out" / "a.jpg").stat().st_mode & 0o7111 == 0


@pytest.mark.parametrize(
    ("member", "words"),
    [
        ("../evil.jpg", "leads out of the folder"),
        ("a/../../evil.jpg", "leads out of the folder"),
        ("..", "leads out of the folder"),
        ("/etc/evil.jpg", "absolute path"),
        ("C:/evil.jpg", "absolute path"),
        ("a\\..\\evil.jpg", "not a plain relative path"),
        ("a//b.jpg", "not a plain relative path"),
        ("./a.jpg", "not a plain relative path"),
        ("a\nb.jpg", "not a plain relative path"),
        ("x" * 300 + ".jpg", "too long"),
        ("x/" * 600 + "a.jpg", "too long"),
        (with_mode("a.jpg", stat.S_IFLNK | 0o777), "is a link"),
        (with_mode("a.jpg", stat.S_IFIFO | 0o666), "neither a file nor a folder"),
        (with_mode("a.jpg", stat.S_IFCHR | 0o666), "neither a file nor a folder"),
        (with_mode("a/", stat.S_IFREG | 0o666), "neither a file nor a folder"),
    ],
    ids=repr,
)
def test_one_bad_member_refuses_the_whole_archive(make, tmp_path, member, words):
    path = make(("good.jpg", b"good"), (member, b""))
    with pytest.raises(ArchiveError, match=rf"photos\.zip is refused: .*{words}.*Nothing of it is used"):
        unpack(path, tmp_path / "out")
    assert names_in(tmp_path / "out") == []


def test_a_name_that_hides_its_end_behind_a_nul_is_refused(make, tmp_path):
    path = make(("a.jpgXevil.sh", b"good"))
    path.write_bytes(path.read_bytes().replace(b"a.jpgXevil", b"a.jpg\0evil"))
    with pytest.raises(ArchiveError, match="not a plain relative path"):
        unpack(path, tmp_path / "out")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("a.jpg", "a.jpg"), "has 'a.jpg' twice"),
        (("a.jpg", "a.jpg/b.jpg"), "'a.jpg' is both a file and a folder"),
        (("a/b.jpg/", "a/b.jpg"), "'a/b.jpg' is both a file and a folder"),
    ],
)
def test_two_members_in_one_place_are_refused(make, tmp_path, names, words):
    with pytest.raises(ArchiveError, match=words):
        unpack(make(*[(name, b"") for name in names]), tmp_path / "out")
    assert names_in(tmp_path / "out") == []


def test_names_that_differ_in_case_stay_two_files_where_the_disk_can(make, tmp_path):
    unpack(make(("a.jpg", b"lower"), ("A.JPG", b"upper")), tmp_path / "out")
    assert (tmp_path / "out" / "a.jpg").read_bytes() == b"lower"
    assert (tmp_path / "out" / "A.JPG").read_bytes() == b"upper"


def test_names_that_are_one_on_this_disk_are_not_overwritten(make, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.jpg").write_bytes(b"the other one")  # as a disk without case would see it
    with (
        open_archive(make(("a.jpg", b"new"))) as archive,
        pytest.raises(ArchiveError, match="case does not count"),
    ):
        list(archive.extract(["a.jpg"], tmp_path / "out"))
    assert (tmp_path / "out" / "a.jpg").read_bytes() == b"the other one"


def test_a_bomb_is_refused(make, tmp_path):
    with pytest.raises(ArchiveError, match="over 200 times"):
        unpack(make(("a.jpg", bytes(50_000_000))), tmp_path / "out")


def test_a_bomb_among_real_photos_is_refused(make, tmp_path):
    with pytest.raises(ArchiveError, match=r"'bomb\.jpg' would grow over 200 times"):
        unpack(make(("a.jpg", os.urandom(1_000_000)), ("bomb.jpg", bytes(50_000_000))), tmp_path / "out")


def test_members_that_share_their_bytes_are_measured_on_the_file(make, tmp_path):
    path = make(*[(f"{number:03}.jpg", os.urandom(20_000)) for number in range(100)])
    raw = bytearray(path.read_bytes())
    directory = raw.index(b"PK\x01\x02")
    one = raw[: raw.index(b"PK\x03\x04", 4)]  # the first member; all others now point to it
    entries, position = bytearray(), directory
    while raw[position : position + 4] == b"PK\x01\x02":
        size = 46 + sum(struct.unpack_from("<HHH", raw, position + 28))
        entry = raw[position : position + size]
        struct.pack_into("<I", entry, 42, 0)
        entries += entry
        position += size
    end = raw[position:]
    struct.pack_into("<I", end, 16, len(one))
    path.write_bytes(one + entries + end)
    with pytest.raises(ArchiveError, match="over 50 times its own"):
        unpack(path, tmp_path / "out", limits=Limits(ratio=50))


def test_absurd_numbers_are_refused(make, tmp_path):
    path = make(*[(f"{number}.jpg", b"x" * 100) for number in range(20)])
    with pytest.raises(ArchiveError, match="20 members, more than 10"):
        unpack(path, tmp_path / "out", limits=Limits(members=10))
    with pytest.raises(ArchiveError, match="2,000 bytes, more than 1,999"):
        unpack(path, tmp_path / "out2", limits=Limits(size=1_999))


def test_what_does_not_fit_on_the_disk_is_not_begun(make, tmp_path):
    path = make(("a.jpg", b"x" * 100))
    with open_archive(path) as archive:
        archive.members["a.jpg"].file_size = 1 << 60
        with pytest.raises(DiskError, match=r"photos\.zip needs"):
            list(archive.extract(["a.jpg"], tmp_path / "out"))


def test_encrypted_and_exotic_members_are_refused(make, tmp_path):
    path = tmp_path / "lzma.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as file:
        file.writestr("a.jpg", b"a")
    with pytest.raises(ArchiveError, match="method 14"):
        unpack(path, tmp_path / "out")
    path = make(("a.jpg", b"a"))
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(raw)
    with pytest.raises(ArchiveError, match="encrypted"):
        unpack(path, tmp_path / "out2")


@pytest.mark.parametrize("damage", ["cut", "flip", "text", "empty"])
def test_a_damaged_archive_is_a_sentence(make, tmp_path, damage):
    path = make(("a.jpg", os.urandom(100_000)))
    raw = bytearray(path.read_bytes())
    raw[1000] ^= 0xFF
    path.write_bytes(
        {"cut": raw[:50_000], "flip": raw, "text": b"<html>sign in</html>", "empty": b""}[damage]
    )
    with pytest.raises(ArchiveError, match=r"photos\.zip is damaged: .*Run again"):
        unpack(path, tmp_path / "out")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(alphabet="ab./\\:~\u00e9A", min_size=1, max_size=12), max_size=3, unique=True))
def test_whatever_the_names_nothing_lands_outside(tmp_path_factory, names):
    top = tmp_path_factory.mktemp("names")
    path = top / "photos.zip"
    with zipfile.ZipFile(path, "w") as file:
        for name in names:
            file.writestr(name, name.encode())
    try:
        unpack(path, top / "middle")
    except ArchiveError:
        assert names_in(top / "middle") == []
    assert names_in(top) == ["middle", "photos.zip"]

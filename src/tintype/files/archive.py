"""ZIP files from elsewhere: everything is checked before anything is written.

`ZipFile.extractall` renames members such as `../x` in silence, believes the sizes that are declared, and overwrites one
member with another. Here an archive with a single member of that kind is refused as a whole. Unpacking is streamed;
sizes and CRCs are checked on the way.
"""

from __future__ import annotations

import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO

from tintype.errors import TintypeError
from tintype.files.disk import check_free

_CHUNK = 1 << 20  # bytes
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # LZMA's dictionary can ask for gigabytes of memory
_ENCRYPTED = 0x1  # in a member's flag bits
_DRIVE = re.compile(r"[A-Za-z]:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# What zipfile raises for a damaged archive
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError)


class ArchiveError(TintypeError):
    """An archive is damaged or not to be trusted."""


@dataclass(frozen=True)
class Limits:
    """Limits beyond which an archive cannot be one of photos.

    Parameters
    ----------
    members : int
        Most files and folders; ImageNet has 1.4 million.
    size : int
        Most bytes, unpacked.
    ratio : float
        Most bytes unpacked for a byte of the archive. Photos are compressed already and tables shrink to
        a tenth; 40 kB that unpack to 4 GB do not hold photos.
    """

    members: int = 3_000_000
    size: int = 1 << 40
    ratio: float = 200.0


@dataclass(frozen=True)
class Archive:
    """An open archive whose members have all been checked.

    Parameters
    ----------
    path : Path
        The ZIP file.
    members : dict of str to ZipInfo
        The files by their relative POSIX path; folders are left out.
    """

    path: Path
    members: dict[str, zipfile.ZipInfo]
    _file: zipfile.ZipFile

    def extract(self, names: list[str], folder: Path) -> Iterator[str]:
        """Unpack some of the files, as new files without any rights or times from the archive.

        Parameters
        ----------
        names : list of str
            Keys of `members`.
        folder : Path
            An empty folder to which no other process writes.

        Yields
        ------
        str
            Each name, when its file is there.

        Raises
        ------
        ArchiveError
            If the content is damaged, or two names are one on this disk.
        DiskError
            If there is not enough space for all of them; nothing is written then.
        """
        check_free(folder.parent, sum(self.members[name].file_size for name in names), self.path.name)
        for name in names:
            destination = folder / name
            destination.parent.mkdir(parents=True, exist_ok=True)
            try:
                with destination.open("xb") as copy:
                    self._copy(name, copy)
            except FileExistsError:
                raise _refusal(
                    self.path,
                    f"{name!r} and another name in it are the same on this disk, where case does not count",
                ) from None
            yield name

    def _copy(self, name: str, copy: BinaryIO) -> None:
        member = self.members[name]
        try:
            with self._file.open(member) as content:
                while chunk := content.read(_CHUNK):
                    copy.write(chunk)
        except _DAMAGE as error:
            raise _damage(self.path, f"{name} cannot be unpacked ({error})") from None
        if copy.tell() != member.file_size:
            raise _damage(
                self.path, f"{name} should have {member.file_size:,} bytes. Received: {copy.tell():,}"
            )


@contextmanager
def open_archive(path: Path, limits: Limits = Limits()) -> Iterator[Archive]:
    """Open a ZIP file and check every member of it.

    Parameters
    ----------
    path : Path
        The file.
    limits : Limits
        Beyond which the archive is refused.

    Yields
    ------
    Archive
        Checked: relative paths that stay inside a folder, each once; no links, devices or encryption;
        sizes within the limits.

    Raises
    ------
    ArchiveError
        If the file is no ZIP file, is damaged, or one of its members is refused.
    """
    try:
        file = zipfile.ZipFile(path)
    except _DAMAGE as error:
        raise _damage(path, f"it is not a ZIP file or its directory is broken ({error})") from None
    with file:
        infos = file.infolist()
        _check_sizes(path, infos, limits)
        files, folders = _split(path, infos)
        _check_clashes(path, files, folders)
        yield Archive(path, files, file)


def _check_sizes(path: Path, infos: list[zipfile.ZipInfo], limits: Limits) -> None:
    if len(infos) > limits.members:
        raise _refusal(path, f"it has {len(infos):,} members, more than {limits.members:,}")
    total = sum(info.file_size for info in infos)
    if total > limits.size:
        raise _refusal(path, f"it would unpack to {total:,} bytes, more than {limits.size:,}")
    # Measured on the file, not on the declared sizes: members may share the same compressed bytes.
    if total > limits.ratio * path.stat().st_size:
        raise _refusal(
            path,
            f"it would unpack to {total:,} bytes, over {limits.ratio:g} times its own {path.stat().st_size:,}",
        )
    for info in infos:
        if info.file_size > _CHUNK and info.file_size > limits.ratio * info.compress_size:
            raise _refusal(
                path, f"{info.filename!r} would grow over {limits.ratio:g} times, to {info.file_size:,} bytes"
            )


def _split(path: Path, infos: list[zipfile.ZipInfo]) -> tuple[dict[str, zipfile.ZipInfo], set[str]]:
    """Files by name, and the names of folders, after a look at each member."""
    files: dict[str, zipfile.ZipInfo] = {}
    folders = set()
    for info in infos:
        name = info.orig_filename  # `filename` is already cut at a NUL character
        if reason := _name_trouble(name.removesuffix("/")) or _kind_trouble(info):
            raise _refusal(path, f"{name!r} {reason}")
        if info.is_dir():
            folders.add(name.removesuffix("/"))
        elif name in files:
            raise _refusal(path, f"it has {name!r} twice")
        else:
            files[name] = info
    return files, folders


def _name_trouble(name: str) -> str | None:
    parts = name.split("/")
    if name.startswith("/") or _DRIVE.match(name):
        return "is an absolute path"
    if ".." in parts:
        return "leads out of the folder it is unpacked to"
    if "" in parts or "." in parts or "\\" in name or _CONTROL.search(name):
        return "is not a plain relative path"
    if len(name.encode()) > 1024 or any(len(part.encode()) > 255 for part in parts):
        return "is too long for a file name"
    return None


def _kind_trouble(info: zipfile.ZipInfo) -> str | None:
    kind = stat.S_IFMT(info.external_attr >> 16)  # 0 where the archiver did not say
    if stat.S_ISLNK(kind):
        return "is a link"
    if kind and not (stat.S_ISDIR(kind) if info.is_dir() else stat.S_ISREG(kind)):
        return "is neither a file nor a folder"
    if info.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if info.compress_type not in _METHODS:
        return f"is compressed with method {info.compress_type}, not stored or deflated"
    return None


def _check_clashes(path: Path, files: dict[str, zipfile.ZipInfo], folders: set[str]) -> None:
    """Refuse a name that is both a file and a folder."""
    folders = folders.union(*map(_parents, files), *map(_parents, folders))
    if both := files.keys() & folders:
        raise _refusal(path, f"{min(both)!r} is both a file and a folder in it")


def _parents(name: str) -> Iterator[str]:
    """The folders above a member: `a` and `a/b` for `a/b/c`."""
    return accumulate(name.split("/")[:-1], "{}/{}".format)


def _refusal(path: Path, reason: str) -> ArchiveError:
    return ArchiveError(f"The archive {path.name} is refused: {reason}. Nothing of it is used.")


def _damage(path: Path, reason: str) -> ArchiveError:
    return ArchiveError(f"The archive {path.name} is damaged: {reason}. Run again to get a fresh copy.")

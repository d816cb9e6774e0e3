"""Lines and small pictures on disk, a new file each day, up to a number of bytes a day.

JSON lines and not Parquet: a table's file is written whole, so a killed process would lose its day, and the package
that writes it is larger than all that the service installs. `tintype monitor` makes Parquet of days that are over.
Each line is one write to a file that no other process writes to: a kill tears at most the last one.
"""

from __future__ import annotations

import datetime
import os
import secrets
import shutil
from pathlib import Path

from tintype.errors import TintypeError
from tintype.measures.records import PICTURES, day_file, day_files


class FolderError(TintypeError):
    """The monitor's folder cannot be used."""


class DayLimitReached(Exception):  # noqa: N818 - what was asked for, and no error of the program
    """The day's limit of bytes is reached."""


class DayWriter:
    """Used from one thread only.

    Parameters
    ----------
    most_bytes : int
        A day, of lines; and as much again of pictures.
    keep_days : int
        Older lines and pictures are removed when a new day begins.
    """

    def __init__(self, folder: Path, most_bytes: int, keep_days: int) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._keep_days = keep_days
        self._writer = secrets.token_hex(
            8
        )  # process ids come again, and are the same in different containers
        self._day: datetime.date | None = None
        self._file: int | None = None
        self._lines = self._pictures = 0  # bytes
        self._torn = False

    def write(self, line: bytes, day: datetime.date) -> None:
        """Append a line.

        Raises
        ------
        DayLimitReached
            If the day has all the bytes that it may have.
        OSError
            If it cannot be written.
        """
        file = self._open(day)
        if self._lines + len(line) > self._most_bytes:
            raise DayLimitReached
        whole = b"\n" + line if self._torn else line
        self._torn = True  # until all of it is there
        written = os.write(file, whole)
        self._lines += written
        if written < len(whole):
            raise OSError(f"Only {written} of {len(whole)} bytes were written")
        self._torn = False

    def write_pictures(self, name: str, pictures: dict[str, bytes], day: datetime.date) -> None:
        """Keep pictures as NAME-KEY.jpg.

        Raises
        ------
        DayLimitReached, OSError
            As in `write`.
        """
        self._open(day)
        size = sum(map(len, pictures.values()))
        if self._pictures + size > self._most_bytes:
            raise DayLimitReached
        folder = self._folder / PICTURES / str(day)
        folder.mkdir(parents=True, exist_ok=True)
        for key, content in pictures.items():
            (folder / f"{name}-{key}.jpg").write_bytes(content)
        self._pictures += size

    def close(self) -> None:
        """Close the day's file."""
        if self._file is not None:
            os.close(self._file)
        self._file = self._day = None

    def _open(self, day: datetime.date) -> int:
        # If the folder is cleared while the service runs, the open file goes with it.
        if self._file is None or day != self._day or os.fstat(self._file).st_nlink == 0:
            self.close()
            self._folder.mkdir(parents=True, exist_ok=True)
            path = day_file(self._folder, day, self._writer)
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
            self._day, self._torn = day, False
            self._lines, self._pictures = os.fstat(self._file).st_size, 0
            self._remove_before(day - datetime.timedelta(days=self._keep_days))
        return self._file

    def _remove_before(self, first: datetime.date) -> None:
        for file in day_files(self._folder):
            if file.day < first:
                file.path.unlink(missing_ok=True)  # several processes do this at once
        pictures = self._folder / PICTURES
        for folder in pictures.iterdir() if pictures.is_dir() else ():
            if folder.name < str(first):
                shutil.rmtree(folder, ignore_errors=True)


def check_folder(folder: Path) -> None:
    """Make the folder, and see that files can be made in it.

    Raises
    ------
    FolderError
        If not.
    """
    probe = folder / f".{secrets.token_hex(8)}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise FolderError(
            f"TINTYPE_MONITOR_DIR: Expected a folder that the service may write to. Received: {folder} "
            f"({error.strerror}). Give it another one or the right to write, or leave the variable out."
        ) from None

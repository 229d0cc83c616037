"""What is special about a database that is one file: its path, its lock, its consistent copy."""

import fcntl
import os
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import IO

from sqlalchemy import URL

from storage.errors import AlreadyRunning, StorageError, reason

WAIT_FOR_LOCK = 5.0  # seconds; `busy_timeout`


def path_of(url: URL) -> Path:
    """The file of an SQLite address."""
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise StorageError(
            "storage.url names no file. Three slashes and a path are expected, "
            "such as sqlite:///data/sarafan.db, or four for an absolute path.",
            "В storage.url нет файла. Нужны три косых черты и путь, например sqlite:///data/sarafan.db; "
            "у полного пути их четыре.",
        )
    return Path(url.database)


def make_room_for(path: Path) -> None:
    """Create the folders above a database file, and find out whether it can be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Appending nothing changes nothing, but meets every obstacle that SQLite only calls "unable to open".
        with path.open("ab"):
            pass
    except OSError as error:
        raise StorageError(
            f"The database {path} cannot be opened: {reason(error)}. "
            "Its file and folder must exist and be writable for the user that runs sarafan; "
            "storage.url says where it is.",
            f"Базу {path} не открыть: {reason(error, 'ru')}. Файл и папка должны быть доступны на запись "
            "тому, от чьего имени работает sarafan. Где лежит база, сказано в storage.url.",
        ) from error


def damaged(path: Path, problem: object) -> StorageError:
    return StorageError(
        f"The database {path} is damaged or is no database ({problem}). Nothing was changed. "
        "Move the file away and put the last backup in its place.",
        f"База {path} повреждена, или это не база ({problem}). Ничего не изменено. Уберите файл и положите "
        "на его место последнюю копию.",
    )


def look_for_damage(path: Path) -> None:
    """Raise StorageError unless every page of the file can be read."""
    try:
        with closing(sqlite3.connect(path, timeout=WAIT_FOR_LOCK)) as connection:
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        raise damaged(path, error) from error
    if found != "ok":
        raise damaged(path, " ".join(str(found).split()))  # SQLite tells it in several lines


class InstanceLock:
    """A lock of the operating system on `<database>.lock`: it ends with the process, however that ends."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(f"{path.name}.lock")
        self._file: IO[bytes] | None = None

    @property
    def is_held(self) -> bool:
        return self._file is not None

    def take(self) -> None:
        """Raises AlreadyRunning while another holds it. To take it twice changes nothing."""
        if self._file:
            return
        try:
            file = self._path.open("ab")
        except OSError as error:
            raise StorageError(
                f"The lock file {self._path} cannot be opened: {reason(error)}.",
                f"Файл-замок {self._path} не открыть: {reason(error, 'ru')}.",
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            raise AlreadyRunning(
                f"Another sarafan works with this database already (it holds {self._path}). "
                "Two workers on one SQLite file would ask clients twice: stop the other one first, "
                "or move to PostgreSQL, where several may run.",
                f"С этой базой уже работает другой sarafan (он держит {self._path}). Два на одном файле "
                "SQLite спросили бы клиентов дважды: остановите тот или перейдите на PostgreSQL, там можно "
                "несколько.",
            ) from error
        self._file = file

    def release(self) -> None:
        """The file stays: were it deleted, two processes could hold locks on two files of one name."""
        if self._file:
            self._file.close()
            self._file = None


def copy_online(source: Path, target: Path) -> None:
    """A consistent copy of a database that others may be writing. It appears whole or not at all."""
    if not source.is_file():
        raise StorageError(f"There is no database at {source}.", f"Базы {source} нет.")
    if target.exists() and target.samefile(source):
        raise StorageError(
            f"{target} is the database itself: name another file for the copy.",
            f"{target} — это сама база: назовите для копии другой файл.",
        )
    if target.is_dir():  # «.» has not even a name to put «.part» behind.
        raise StorageError(
            f"{target} cannot be written: is a directory.", f"{target} не записать: это папка."
        )
    part = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _copy_pages(source, part)
        shutil.copymode(source, part)
        _sync(part)
        part.replace(target)
        _sync(target.parent)  # else a power cut could bring the old name back
    except OSError as error:
        raise StorageError(
            f"{target} cannot be written: {reason(error)}.", f"{target} не записать: {reason(error, 'ru')}."
        ) from error
    except sqlite3.Error as error:
        raise StorageError(
            f"{source} could not be copied to {target}: {error}.",
            f"{source} не скопировать в {target}: {error}.",
        ) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _copy_pages(source: Path, part: Path) -> None:
    part.unlink(missing_ok=True)
    with (
        closing(sqlite3.connect(source, timeout=WAIT_FOR_LOCK)) as reader,
        closing(sqlite3.connect(part)) as writer,
    ):
        reader.execute("PRAGMA query_only=ON")
        reader.backup(writer)  # In one step: a snapshot, while the writer goes on beside it.
        writer.execute("PRAGMA journal_mode=DELETE")  # So the copy is one file.
        (found,) = writer.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise damaged(source, found)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

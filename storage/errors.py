"""What can go wrong with the memory, in sentences for the person who starts the program.

Each is said twice: in English, as the log keeps it, and in Russian.

StorageError            a person has to look: the message says at what
├── NoDatabase          there is none yet: the worker has not been started
├── Unavailable         not now (busy, full disk, lost connection): the same transaction may be run again
└── AlreadyRunning      another worker holds this database
"""

import errno
from collections.abc import Mapping

# What the operating system says most, in Russian; the rest stays in its own words.
REASONS: Mapping[int, str] = {
    errno.ENOENT: "такой папки нет",
    errno.EACCES: "нет прав",
    errno.EPERM: "нет прав",
    errno.EROFS: "туда можно только читать",
    errno.ENOSPC: "на диске нет места",
    errno.EDQUOT: "место на диске исчерпано",
    errno.EISDIR: "это папка",
    errno.ENOTDIR: "часть пути — файл, а не папка",
    errno.EEXIST: "на этом месте уже есть файл",
    errno.ENAMETOOLONG: "слишком длинное имя",
    errno.EIO: "диск отвечает ошибкой",
    errno.EADDRINUSE: "адрес занят",
    errno.EADDRNOTAVAIL: "у этой машины такого адреса нет",
}


def reason(error: OSError, language: str = "en") -> str:
    """Why the system refused, to be put into a sentence."""
    said = (error.strerror or str(error)).partition(" (while")[0].lower()  # Python repeats an address
    return said if language == "en" else REASONS.get(error.errno or 0, said)


class StorageError(Exception):
    """The database cannot be used; the message is a sentence."""

    def __init__(self, en: str, ru: str = "") -> None:
        super().__init__(en)
        self.ru = ru or en

    def say(self, language: str) -> str:
        return str(self) if language == "en" else self.ru


class NoDatabase(StorageError):
    """There is none yet, or it has no tables: the first `sarafan run` makes both."""

    def __init__(self, where: str) -> None:
        super().__init__(
            f"There is no database at {where} yet: "
            "`sarafan run` makes it. storage.url in config.toml says where it is.",
            f"Базы {where} ещё нет: её создаст sarafan run. Где она лежит, сказано в storage.url.",
        )


class Unavailable(StorageError):
    """Nothing was kept, or the answer to COMMIT was lost: run the transaction again later."""


class AlreadyRunning(StorageError):
    """A second worker on one SQLite file is refused."""

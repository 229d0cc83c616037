"""What can go wrong with the memory, in sentences for the person who starts the program.

StorageError            a person has to look: the message says at what
├── NoDatabase          there is none yet: the worker has not been started
├── Unavailable         not now (busy, full disk, lost connection): the same transaction may be run again
└── AlreadyRunning      another worker holds this database
"""


class StorageError(Exception):
    """The database cannot be used; the message is a sentence."""


class NoDatabase(StorageError):
    """There is none yet, or it has no tables: the first `sarafan run` makes both."""

    def __init__(self, where: str) -> None:
        super().__init__(
            f"There is no database at {where} yet: "
            "`sarafan run` makes it. storage.url in config.toml says where it is."
        )
        self.where = where


class Unavailable(StorageError):
    """Nothing was kept, or the answer to COMMIT was lost: run the transaction again later."""


class AlreadyRunning(StorageError):
    """A second worker on one SQLite file is refused."""

"""Objects as files in a folder: written whole or not at all, and never outside of it."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import stat
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from service.errors import ConflictError, NotFoundError, StoreError, UnavailableError
from service.stores.objects import Tagged
from service.stores.uri import StoreUri

LOCK_SECONDS = 10
"""How long a move waits for another one; each takes milliseconds."""
STALE_SECONDS = 3600
"""Temporary files that were last written so long ago belong to nobody: their writer was killed."""

_TEMPORARY = ".writing-"
_PASSING = {errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EAGAIN, errno.EINTR, errno.ENFILE, errno.EMFILE}


class LocalObjects:
    """``Objects`` in a local folder, for any number of processes at once.

    A new object is a temporary file, synced and then hard-linked to its name, which the kernel refuses if the name
    exists. A replaced one is compared and renamed over under a lock that the kernel frees when its holder dies.
    Symbolic links may lead anywhere within the folder, and nowhere else.
    """

    def __init__(self, place: StoreUri) -> None:
        self.uri = str(place)
        self._root = Path("/", *place.parts)

    def read(self, key: str, limit: int) -> bytes:
        path = self._path(key)
        with self._named(key), open(_open(path), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise StoreError(f"{self.uri}/{key} is not a regular file")
            return file.read(limit)

    def read_tagged(self, key: str, limit: int, unless_tag: str | None) -> Tagged | None:
        data = self.read(key, limit)
        tag = hashlib.sha256(data).hexdigest()
        return None if tag == unless_tag else Tagged(data, tag)

    def create(self, key: str, data: bytes) -> None:
        path = self._path(key)
        with self._named(key), _written(path, data) as temporary:
            try:
                os.link(temporary, path)
            except FileExistsError as error:
                raise ConflictError(f"{self.uri}/{key} exists") from error
            _sync(path.parent)

    def replace(self, key: str, data: bytes, tag: str) -> None:
        path = self._path(key)
        with self._named(key), _locked(path.parent), _written(path, data) as temporary:
            if self.read_tagged(key, path.stat().st_size, tag) is not None:
                raise ConflictError(f"{self.uri}/{key} has changed")
            os.replace(temporary, path)
            _sync(path.parent)

    def list_folders(self, prefix: str) -> list[str]:
        path = self._path(prefix)
        with self._named(prefix):
            if not path.is_dir():
                return []
            return [entry.name for entry in os.scandir(path) if entry.is_dir(follow_symlinks=False)]

    def list_keys(self, prefix: str) -> list[str]:
        folder = self._path(prefix)
        with self._named(prefix):
            if not folder.is_dir():
                return []
            found = [Path(root, name) for root, _, names in os.walk(folder, onerror=_fail) for name in names]
            return [prefix + path.relative_to(folder).as_posix() for path in found]

    def _path(self, key: str) -> Path:
        """The file behind a key, all symbolic links followed. Raises StoreError if it is outside of the store."""
        with self._named(key):
            root = Path(os.path.realpath(self._root))
            path = Path(os.path.realpath(root / key))
        if not path.is_relative_to(root):
            raise StoreError(f"{self.uri}/{key} is a link that leads out of the store")
        return path

    @contextmanager
    def _named(self, key: str) -> Iterator[None]:
        """Errors of the system as the store's own, with the place that they concern."""
        try:
            yield
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NotFoundError(f"{self.uri}/{key} does not exist") from error
        except OSError as error:
            kind = UnavailableError if error.errno in _PASSING else StoreError
            raise kind(f"{self.uri}/{key}: {error.strerror}") from error


@contextmanager
def _written(path: Path, data: bytes) -> Iterator[Path]:
    """A synced temporary file beside ``path``, gone afterwards; so are those that a killed writer left there."""
    _make_folder(path.parent)
    for left in path.parent.glob(f"{_TEMPORARY}*"):
        with suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > STALE_SECONDS:
                left.unlink()
    temporary = path.parent / f"{_TEMPORARY}{uuid.uuid4().hex}"
    try:
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with open(folder / ".lock", "ab") as file:
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise UnavailableError(f"another process has held {file.name} for {LOCK_SECONDS} s") from None
                time.sleep(0.01)
        yield


def _make_folder(folder: Path) -> None:
    """Makes the folder and those above it, each synced, so that what is linked into it outlives a loss of power."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync(folder.parent)


def _fail(error: OSError) -> NoReturn:
    raise error


def _open(path: Path) -> int:
    # Not blocking: a pipe in the place of a file must not hold the reader.
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""One owner per folder."""

import fcntl
import os
from pathlib import Path

from demo.cluster.errors import FolderInUseError


class Lock:
    """A file that one process holds, and that names it. The system releases it however that process ends."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None
        self._holder = 0

    @property
    def is_held(self) -> bool:
        """Whether this process holds it. A forked child inherits this object, but not what it stands for."""
        return self._descriptor is not None and self._holder == os.getpid()

    def acquire(self) -> None:
        """Take the lock. Raises `FolderInUseError` with the other's process id when another owner has it."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(descriptor, 20, 0).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise FolderInUseError(
                f"{self.path.parent} is in use by another cluster, of the process {owner}. "
                "Stop that process, or choose another folder."
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor, self._holder = descriptor, os.getpid()

    def release(self) -> None:
        """Give the lock back. The file stays: removing it would let two owners lock two files of one name."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

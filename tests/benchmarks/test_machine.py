"""What is told of the machine, the versions and the commit."""

import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from benchmarks import machine


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=Name", "-c", "user.email=name@example.com")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)  # noqa: S603, S607


def test_the_machine_is_described() -> None:
    found = machine.machine()
    assert list(found) == ["processor", "cores", "memory", "kernel"]
    assert all(found.values())
    assert int(found["cores"]) >= 1


def test_the_versions_are_those_that_are_installed() -> None:
    found = machine.versions()
    assert found["django-multidb-router"] == version("django-multidb-router")
    assert found["django-replicated"] == version("django-replicated")
    assert int(found["PostgreSQL"].partition(".")[0]) >= 14


def test_what_is_not_installed_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_PACKAGES", ("Django", "no-such-package"))
    found = machine.versions()
    assert "Django" in found
    assert "no-such-package" not in found


def test_the_commit_is_told_and_whether_anything_was_changed_since(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "CHECKOUT", tmp_path)
    assert machine.commit() == ("", False)
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "--message=First")
    revision, is_clean = machine.commit()
    assert (len(revision), is_clean) == (12, True)
    (tmp_path / "new").touch()
    assert machine.commit() == (revision, False)


def test_the_share_of_idle_time_is_one() -> None:
    share = machine.idle_now()
    assert share is None or 0 <= share <= 1

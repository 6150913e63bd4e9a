"""What `manage.py check` says in a project whose own modules have the names of ours."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = """
SECRET_KEY = "none"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "waffle", "rollout", "routers", "tasks"]
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql"}}
"""


def check(project: Path) -> subprocess.CompletedProcess[str]:
    """Run Django's checks in the project's folder, which comes first on the path, as under manage.py."""
    (project / "project_settings.py").write_text(SETTINGS)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(project), str(ROOT)])}
    command = [sys.executable, "-m", "django", "check", "--settings", "project_settings"]
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)  # noqa: S603


@pytest.mark.parametrize("name", ["tasks", "admin_ui"])
def test_a_module_of_the_project_that_hides_one_of_ours_is_an_error(name: str, tmp_path: Path) -> None:
    (tmp_path / f"{name}.py").touch()
    result = check(tmp_path)
    assert result.returncode == 1
    assert "readshift.E010" in result.stderr
    assert f"{name!r} of django-readshift is hidden by {tmp_path / f'{name}.py'}" in result.stderr
    assert f"Rename the module {name!r}" in result.stderr


def test_a_hidden_read_path_ends_the_start_with_the_same_words(tmp_path: Path) -> None:
    (tmp_path / "routers.py").touch()
    result = check(tmp_path)
    assert result.returncode == 1
    assert "ImproperlyConfigured" in result.stderr
    assert "'routers' of django-readshift is hidden" in result.stderr
    assert "readshift.E010" in result.stderr


def test_a_project_with_modules_of_other_names_passes(tmp_path: Path) -> None:
    (tmp_path / "jobs.py").touch()
    result = check(tmp_path)
    assert (result.returncode, result.stderr) == (0, "")

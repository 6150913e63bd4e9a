"""What a project is told that uses an exporter without its package."""

import sys
from importlib.util import find_spec, module_from_spec

import pytest
from django.core.exceptions import ImproperlyConfigured


@pytest.mark.parametrize(
    ("exporter", "package"), [("prometheus", "prometheus_client"), ("opentelemetry", "opentelemetry.metrics")]
)
def test_a_missing_package_is_named_with_the_extra_that_brings_it(
    exporter: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = find_spec(f"admin_ui.metrics.{exporter}")
    assert spec is not None
    assert spec.loader is not None
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImproperlyConfigured, match=rf"{package}.*pip install 'django-readshift\[{exporter}\]'"):
        spec.loader.exec_module(module_from_spec(spec))

"""Everything that the manual names exists: commands, settings, codes, permissions, addresses, links, files, imports."""

import ast
import re
import shlex
from importlib import import_module
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.apps import apps
from django.conf import global_settings
from django.core.management import get_commands
from django.core.management.base import CommandError
from django.urls import resolve
from django.utils.module_loading import import_string

from admin_ui.management.commands.readshift import Command
from admin_ui.metrics.families import FAMILIES
from demo.reference import CHECKS, meanings
from rollout.reasons import Reason
from tests.docs.pages import (
    CHECKOUT,
    NAMES,
    PAGES,
    SOURCES,
    anchors,
    blocks,
    joined,
    lines_to_type,
    prose,
    spans,
)

each_page = pytest.mark.parametrize("page", PAGES, ids=NAMES)

OPTIONS = {*meanings(), "REPLICAS", "APPS", "WEIGHT", "POOL", "CAPACITY"}
OF_OTHERS = {
    *("READSHIFT", "DEBUG_TOOLBAR_PANELS", "OVERRIDE", "MIRROR", "READSHIFT_PG_BIN", "BEAT_SCHEDULE"),
    *("CONN_MAX_AGE", "CONN_HEALTH_CHECKS", "OPTIONS", "DISABLE_SERVER_SIDE_CURSORS", "ATOMIC_REQUESTS"),
    *("PROMETHEUS_MULTIPROC_DIR", "EMAIL_TIMEOUT", "GET", "HEAD", "POST", "SELECT", "EXECUTE", "ANALYZE"),
}
"""Words in capitals that are no options of ours and no settings of Django's with a default."""

FOREIGN = {
    *("cl_waiting", "default_pool_size", "query_wait_timeout", "reserve_pool_size", "reserve_pool_timeout"),
    *("server_login_retry", "pg_basebackup", "pg_rewind", "pg_upgrade", "pg_last_xact_replay_timestamp"),
    *("primary_conninfo", "lock_timeout", "default_transaction_read_only", "in_database", "causal_reads"),
    *("delay_threshold", "prefer_primary", "django_replicated", "on_commit", "bulk_create", "httponly"),
    *(
        "search_path",
        "db_for_write",
        "is_alert",
        "recovery_target_timeline",
        "shop_reader",
        "connect_timeout",
        "credentials_file",
        "http_config",
        "read_replica",
    ),
    *("delay_on_commit", "content_object", "pytest_plugins", "scrape_timeout"),
}
"""Names with an underscore that belong to PostgreSQL, PgBouncer, Django, Celery, Prometheus and peers."""


@each_page
def test_commands_of_ours_parse_as_they_are_written(page: Path) -> None:
    parser = Command().create_parser("manage.py", "readshift")
    text = page.read_text()
    typed = [line for line in lines_to_type(text) if "manage.py readshift " in line]
    mentioned = [span for span in spans(text) if "manage.py readshift " in span and "|" not in span]
    for line in [*typed, *mentioned]:
        _, _, arguments = line.partition("manage.py readshift ")
        words = shlex.split(arguments)
        if line not in typed and len(words) == 1:
            assert words[0] in {subcommand.name for subcommand in Command.subcommands}, line
            continue
        try:
            parser.parse_args(words)
        except (CommandError, SystemExit) as error:
            pytest.fail(f"{page.name} says `{line}`, which does not parse: {error}")


@each_page
def test_other_commands_exist(page: Path) -> None:
    text = page.read_text()
    lines = [*lines_to_type(text), *spans(text)]
    commands = {name for line in lines for name in re.findall(r"manage\.py (\w+)", line)}
    assert commands <= set(get_commands())
    for module in {name for line in lines for name in re.findall(r"python -m (benchmarks\.\w+)", line)}:
        assert find_spec(module), module
    targets = set(re.findall(r"^(\w+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
    assert {name for line in lines for name in re.findall(r"^make (\w+)", line)} <= targets


@each_page
def test_settings_are_options_of_ours_or_of_django(page: Path) -> None:
    text = page.read_text()
    named = {span for span in spans(text) if re.fullmatch(r"[A-Z][A-Z_]+", span)}
    assert named <= {*OPTIONS, *OF_OTHERS, *dir(global_settings)}
    assert set(re.findall(r'READSHIFT\["(\w+)"\]', text)) <= OPTIONS


@each_page
def test_codes_and_identifiers_are_in_the_code(page: Path) -> None:
    known = set(re.findall(r"\w+", "\n".join(file.read_text() for file in SOURCES)))
    known |= {name for family in FAMILIES for name in (family.prometheus_name, *family.exposed_names)}
    # Words after a dot are permissions and dotted paths, which have tests of their own; so have paths of files.
    lone = r"(?<![\w./])[a-z]+(?:_[a-z0-9]+)+\b(?![\w./])"
    named = {word for span in spans(page.read_text()) for word in re.findall(lone, span)}
    assert named <= known | FOREIGN


def test_the_ladder_and_the_table_of_codes_name_reasons() -> None:
    (ladder,) = (
        block for block in blocks((CHECKOUT / "docs/how-it-works.md").read_text(), "mermaid") if "r1[" in block
    )
    drawn = set(re.findall(r"\b[a-z]+_[a-z]+\b", ladder))
    assert drawn <= {reason.value for reason in Reason}
    page = (CHECKOUT / "docs/decisions.md").read_text()
    (table,) = re.findall(r"\| Where \| Why \| Code \|\n(.*?)\n\n", page, re.DOTALL)
    listed = set(re.findall(r"`(\w+)`(?=[^|]*\|$)", table, re.MULTILINE))
    never_decided = {Reason.ROUTER_ERROR, Reason.DECIDING, Reason.WRITE, Reason.DIRECT}
    assert listed == {reason.value for reason in Reason if reason not in never_decided}
    assert drawn <= listed


@each_page
def test_system_checks_are_those_that_are_reported(page: Path) -> None:
    assert set(re.findall(r"readshift\.[EW]\d+", page.read_text())) <= set(CHECKS)


@each_page
def test_permissions_are_those_of_a_model(page: Path) -> None:
    known = {
        f"{model._meta.app_label}.{codename}"
        for model in apps.get_models()
        for codename in (
            *(f"{action}_{model._meta.model_name}" for action in model._meta.default_permissions),
            *(codename for codename, _ in model._meta.permissions),
        )
    }
    actions = r"view|add|change|delete|rollback|operate"
    named = re.findall(rf"`((?:readshift|readshift_admin|auth|waffle)\.(?:{actions})_\w+)`", page.read_text())
    assert set(named) <= known


@each_page
def test_links_lead_to_files_and_headings(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page.read_text())):
        if target.startswith(("http://", "https://")):
            continue
        parts = urlsplit(target)
        file = (page.parent / parts.path).resolve() if parts.path else page
        assert file.exists(), f"{page.name} links to {target}"
        assert not parts.fragment or parts.fragment in anchors(file.read_text()), f"{page.name} links to {target}"


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, left = set(), [PAGES[0]]
    while left:
        page = left.pop()
        reached.add(page)
        targets = re.findall(r"\]\(([^)\s#:]+\.md)", prose(page.read_text()))
        left += {(page.parent / target).resolve() for target in targets} - reached
    assert reached >= set(PAGES)


@each_page
def test_files_and_addresses_exist(page: Path) -> None:
    text = page.read_text()
    for name in {span for span in spans(text) if re.fullmatch(r"[\w\-]+/[\w\-/]+\.(?:py|md)", span)}:
        assert (CHECKOUT / name).exists(), name
    for address in set(re.findall(r"(?<![\w.…])(/admin/readshift[\w/]*/)", text)):
        resolve(address)
    for address in set(re.findall(r"(?:POST |example\.com)(/readshift/[\w/]*/)", text)):
        resolve(address, f"admin_ui.{'metrics' if 'metrics' in address else 'webhook'}_urls")


@each_page
def test_python_compiles_and_its_imports_exist(page: Path) -> None:
    text = page.read_text()
    for block in blocks(text, "python"):
        indent = len(block) - len(block.lstrip(" "))
        code = "\n".join(line[indent:] for line in block.splitlines())
        tree = ast.parse(code)
        for statement in ast.walk(tree):
            if isinstance(statement, ast.ImportFrom) and is_ours(statement.module or ""):
                module = import_module(statement.module or "")
                assert all(hasattr(module, name.name) for name in statement.names), ast.unparse(statement)
    for path in chain(re.findall(r'"([\w.]+)"', "".join(blocks(text, "python"))), spans(text)):
        if is_ours(path) and re.fullmatch(r"\w+(?:\.\w+)+(?:\(\))?", path):
            assert exists(path.removesuffix("()")), path


@pytest.mark.parametrize("page", sorted((CHECKOUT / "docs/runbooks").glob("*.md")), ids=lambda page: page.stem)
def test_runbooks_quote_what_pages_and_commands_say(page: Path) -> None:
    said = " ".join(joined("\n".join(file.read_text() for file in SOURCES)).split())
    for quoted in re.findall(r"“([^”]+)”", prose(page.read_text())):
        words = " ".join(quoted.split())
        assert words == "quotes" or words.removesuffix(".") in said, words


def is_ours(path: str) -> bool:
    return path.partition(".")[0] in {"rollout", "routers", "tasks", "admin_ui", "benchmarks", "demo", "tests"}


def exists(path: str) -> bool:
    """Say whether a dotted path is a module or a name in one."""
    try:
        return bool(find_spec(path)) if path.count(".") == 1 else import_string(path) is not None
    except (ImportError, ModuleNotFoundError):
        return bool(find_spec(path))

"""What views and tasks do with the tables, written as any Django project would write it."""

from typing import Any

from django.db import transaction

from benchmarks.consistency.app.models import Document, Register


def increment(key: str) -> int:
    """Write a register and return its new version."""
    with transaction.atomic():
        register = Register.objects.select_for_update().get(key=key)
        register.version += 1
        register.save(update_fields=["version"])
    return register.version


def revise(key: str, about: str, basis: int) -> int:
    """Write a document on the basis of a register's version that its actor has read, and return its new version."""
    with transaction.atomic():
        document = Document.objects.select_for_update().get(key=key)
        document.version += 1
        document.about, document.basis = about, basis
        document.save(update_fields=["version", "about", "basis"])
    return document.version


def read(key: str) -> dict[str, Any]:
    """Read a register. Every value tells the database alias it came from."""
    return _shown(Register.objects.get(key=key), step=0)


def read_all() -> list[dict[str, Any]]:
    """Read all registers with one query."""
    return [_shown(register, step=0) for register in Register.objects.order_by("key")]


def read_document(key: str) -> list[dict[str, Any]]:
    """Read a document, and then with another query the register that it is about."""
    document = Document.objects.get(key=key)
    values = [_shown(document, step=0)]
    if document.about:
        values[0]["follows"] = [document.about, document.basis]
        values.append(_shown(Register.objects.get(key=document.about), step=1))
    return values


def _shown(row: Register | Document, step: int) -> dict[str, Any]:
    return {"key": row.key, "version": row.version, "step": step, "server": row._state.db}

"""Reads the record, the newest first, with as many queries for millions of events as for one."""

from collections import defaultdict
from collections.abc import Iterator

from django.db import connections
from django.db.models import Q

from admin_ui.events.filters import SUBJECT_KINDS, Filter
from admin_ui.places import Place
from rollout.models import Event

MANY = 200
"""Up to so many subjects, or persons, that have a text in common are looked up one by one.

Where more have, they are so frequent that a walk through the record from its end soon finds enough of them.
"""

# Each turn of these asks the index for the value after the last, so that all of them cost one look each, however many
# events each has. This is the loose index scan of https://wiki.postgresql.org/wiki/Loose_indexscan.
_SUBJECTS = """
WITH RECURSIVE known AS (
    (SELECT subject_kind, subject FROM {table} ORDER BY subject_kind, subject LIMIT 1)
    UNION ALL
    SELECT following.* FROM known, LATERAL (
        SELECT subject_kind, subject FROM {table} AS event
        WHERE (event.subject_kind, event.subject) > (known.subject_kind, known.subject)
        ORDER BY subject_kind, subject LIMIT 1
    ) AS following
)
SELECT subject_kind, subject FROM known WHERE strpos(lower(subject), lower(%(text)s)) > 0 LIMIT %(limit)s
"""
_PERSONS = """
WITH RECURSIVE known AS (
    (SELECT who FROM {table} ORDER BY who LIMIT 1)
    UNION ALL
    SELECT following.* FROM known, LATERAL (
        SELECT who FROM {table} AS event WHERE event.who > known.who ORDER BY who LIMIT 1
    ) AS following
)
SELECT who FROM known WHERE strpos(lower(who), lower(%(text)s)) > 0 LIMIT %(limit)s
"""


def conditions(wanted: Filter, using: str) -> Q:
    """Return what events have to meet, in at most four queries. Raises what the database raises."""
    exact = {
        "subject_kind": wanted.subject_kind,
        "door": wanted.door,
        "kind": wanted.kind,
        "at__gte": wanted.since,
        "at__lte": wanted.until,
    }
    met = Q(**{name: value for name, value in exact.items() if value})
    if wanted.subject:
        met &= _with_subject(wanted, using)
    if wanted.who:
        met &= _by(wanted.who, using)
    return met


def read_events(met: Q, count: int, using: str, before: Place | None = None) -> list[Event]:
    """Return up to so many events that meet this, the newest first, from a place on or from the end of the record."""
    if before is not None:
        met &= before.before("at")
    return list(Event.objects.using(using).filter(met).order_by("-at", "-pk")[:count])


def place_of(event: Event) -> Place:
    """Return where an event stands in the record."""
    return Place(event.at, event.pk)


def read_chunks(met: Q, size: int, using: str) -> Iterator[list[Event]]:
    """Return all events that meet this, the newest first, one query and so many of them at a time."""
    chunk = read_events(met, size, using)
    while chunk:
        yield chunk
        chunk = read_events(met, size, using, place_of(chunk[-1])) if len(chunk) == size else []


def read_event(pk: int, using: str) -> Event | None:
    """Return the event of this number, or None."""
    return Event.objects.using(using).filter(pk=pk).first()


def _with_subject(wanted: Filter, using: str) -> Q:
    kinds = (wanted.subject_kind,) if wanted.subject_kind else SUBJECT_KINDS
    whole = Q(subject_kind__in=kinds, subject=wanted.subject)
    if Event.objects.using(using).filter(whole).exists():
        return whole
    found = _known(_SUBJECTS, wanted.subject, using)
    if len(found) > MANY:
        return Q(subject__icontains=wanted.subject)
    subjects: dict[str, list[str]] = defaultdict(list)
    for kind, subject in found:
        subjects[kind].append(subject)
    met = Q(pk__in=())
    for kind, names in subjects.items():
        met |= Q(subject_kind=kind, subject__in=names)
    return met


def _by(who: str, using: str) -> Q:
    whole = Q(who=who)
    if Event.objects.using(using).filter(whole).exists():
        return whole
    found = [name for (name,) in _known(_PERSONS, who, using)]
    return Q(who__icontains=who) if len(found) > MANY else Q(who__in=found)


def _known(statement: str, text: str, using: str) -> list[tuple[str, ...]]:
    table = connections[using].ops.quote_name(Event._meta.db_table)
    with connections[using].cursor() as cursor:
        cursor.execute(statement.format(table=table), {"text": text, "limit": MANY + 1})
        return list(cursor.fetchall())

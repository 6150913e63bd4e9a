"""The record of every change of what routing depends on: who, through which door, why, before and after."""

from typing import ClassVar

from django.db import models


class Door(models.TextChoices):
    """Through what a change came."""

    DASHBOARD = "dashboard", "Dashboard"
    REQUEST = "request", "Another page, such as waffle's admin"
    COMMAND = "command", "Command line"
    TASK = "task", "Celery task"
    PLAN = "plan", "Rollout plan"
    WEBHOOK = "webhook", "Webhook"
    CODE = "code", "Code outside all of these"


class EventKind(models.TextChoices):
    """What happened to the subject."""

    CREATED = "created", "Created"
    CHANGED = "changed", "Changed"
    DELETED = "deleted", "Deleted"


class Event(models.Model):
    """One change. Rows are only ever added: the database refuses to change or delete one.

    subject_kind, subject: what was changed, such as `rule` and `endpoint shop:product-list`, or `flag` and its name.
    who: the user's name, the command, the task or the plan. why: what they gave as the reason, or empty.
    before, after: the fields that changed, by name. measures: the metric values on which a decision rested.
    """

    at = models.DateTimeField(db_index=True)
    kind = models.CharField(max_length=7, choices=EventKind)
    door = models.CharField(max_length=9, choices=Door)
    who = models.CharField(max_length=254, blank=True)
    why = models.TextField(blank=True)
    subject_kind = models.CharField(max_length=32)
    subject = models.CharField(max_length=254)
    before = models.JSONField(default=dict, blank=True)
    after = models.JSONField(default=dict, blank=True)
    measures = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering: ClassVar = ["-at", "-pk"]
        # With `at` at the end each gives the newest first, however rare what is looked for.
        indexes: ClassVar = [
            models.Index(fields=["subject_kind", "subject", "at"], name="readshift_event_subject"),
            models.Index(fields=["who", "at"], name="readshift_event_who"),
            models.Index(fields=["door", "at"], name="readshift_event_door"),
            models.Index(fields=["kind", "at"], name="readshift_event_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.subject_kind} {self.subject} {self.kind} by {self.who or self.door}"

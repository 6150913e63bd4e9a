"""The two tables. Nothing but an increment under a row lock ever changes a version."""

from typing import ClassVar

from django.db import models


class Register(models.Model):
    """A value that many actors write."""

    key = models.CharField(max_length=40, primary_key=True)
    version = models.PositiveIntegerField(default=0)

    objects: ClassVar[models.Manager["Register"]] = models.Manager()

    class Meta:
        app_label = "consistency"

    def __str__(self) -> str:
        return f"{self.key} at {self.version}"


class Document(models.Model):
    """A value that one actor writes, with the register it is about and the version of it that the actor had read."""

    key = models.CharField(max_length=40, primary_key=True)
    version = models.PositiveIntegerField(default=0)
    about = models.CharField(max_length=40, blank=True)
    basis = models.PositiveIntegerField(default=0)

    objects: ClassVar[models.Manager["Document"]] = models.Manager()

    class Meta:
        app_label = "consistency"

    def __str__(self) -> str:
        return f"{self.key} at {self.version}, about {self.about} at {self.basis}"

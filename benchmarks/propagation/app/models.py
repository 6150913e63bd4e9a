"""The table that a page reads."""

from typing import ClassVar

from django.db import models


class Article(models.Model):
    """What a page shows."""

    title = models.CharField(max_length=40)

    objects: ClassVar[models.Manager["Article"]] = models.Manager()

    class Meta:
        app_label = "propagation"

    def __str__(self) -> str:
        return self.title

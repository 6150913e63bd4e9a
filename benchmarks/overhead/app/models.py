"""The table that is read."""

from typing import ClassVar

from django.db import models


class Article(models.Model):
    """What a read fetches by its key."""

    title = models.CharField(max_length=200)
    body = models.TextField()
    price = models.DecimalField(max_digits=10, decimal_places=2)
    created = models.DateTimeField()

    objects: ClassVar[models.Manager["Article"]] = models.Manager()

    class Meta:
        app_label = "overhead"

    def __str__(self) -> str:
        return self.title

"""The two tables that a page reads."""

from typing import ClassVar

from django.db import models


class Article(models.Model):
    """What a page is about. version: how often it was changed."""

    key = models.CharField(max_length=40, primary_key=True)
    version = models.PositiveIntegerField(default=0)

    objects: ClassVar[models.Manager["Article"]] = models.Manager()

    class Meta:
        app_label = "failover"

    def __str__(self) -> str:
        return f"{self.key} at {self.version}"


class Comment(models.Model):
    """What somebody has said about an article."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE)
    text = models.CharField(max_length=200)

    objects: ClassVar[models.Manager["Comment"]] = models.Manager()

    class Meta:
        app_label = "failover"

    def __str__(self) -> str:
        return self.text

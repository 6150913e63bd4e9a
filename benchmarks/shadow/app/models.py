"""The tables. Their columns are of the types that differ most in how they are sent and compared."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField, IntegerRangeField
from django.db import models


class Maker(models.Model):
    """Who makes items."""

    name = models.CharField(max_length=40)

    objects: ClassVar[models.Manager["Maker"]] = models.Manager()

    class Meta:
        app_label = "shadow"

    def __str__(self) -> str:
        return self.name


class Item(models.Model):
    """What most reads are about. shelf: what the row is there for; those of one shelf are written by nobody else."""

    shelf = models.CharField(max_length=20, db_index=True)
    maker = models.ForeignKey(Maker, on_delete=models.PROTECT)
    name = models.CharField(max_length=40)
    kind = models.CharField(max_length=10)
    price = models.DecimalField(max_digits=10, decimal_places=2)
    stock = models.IntegerField()
    weight = models.FloatField()
    tags = ArrayField(models.CharField(max_length=20))
    attributes = models.JSONField()
    code = models.UUIDField()
    sizes = IntegerRangeField()
    photo = models.BinaryField()
    added = models.DateTimeField()

    objects: ClassVar[models.Manager["Item"]] = models.Manager()

    class Meta:
        app_label = "shadow"

    def __str__(self) -> str:
        return self.name


class Remark(models.Model):
    """What somebody has said about an item."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="remarks")
    text = models.CharField(max_length=100)

    objects: ClassVar[models.Manager["Remark"]] = models.Manager()

    class Meta:
        app_label = "shadow"

    def __str__(self) -> str:
        return self.text


class Counter(models.Model):
    """A row that is written all the time."""

    key = models.CharField(max_length=40, primary_key=True)
    version = models.PositiveBigIntegerField(default=0)

    objects: ClassVar[models.Manager["Counter"]] = models.Manager()

    class Meta:
        app_label = "shadow"

    def __str__(self) -> str:
        return f"{self.key} at {self.version}"


class Bulk(models.Model):
    """A table of which one read returns more than anybody should hold in memory."""

    text = models.CharField(max_length=40)

    objects: ClassVar[models.Manager["Bulk"]] = models.Manager()

    class Meta:
        app_label = "shadow"

    def __str__(self) -> str:
        return self.text

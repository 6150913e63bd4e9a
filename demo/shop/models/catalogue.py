"""Categories, the products in them, and the tags on the products."""

from __future__ import annotations

from decimal import Decimal

from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone

from demo.shop.models.reviews import Review


class Category(models.Model):
    """A department of the shop."""

    name = models.CharField(max_length=60, unique=True)
    slug = models.SlugField(max_length=60, unique=True)

    class Meta:
        ordering = ("name",)
        verbose_name_plural = "categories"

    def __str__(self) -> str:
        return self.name


class Tag(models.Model):
    """A word on anything in the shop."""

    name = models.CharField(max_length=40)
    content_type = models.ForeignKey(ContentType, on_delete=models.CASCADE)
    object_id = models.PositiveBigIntegerField()
    content_object = GenericForeignKey("content_type", "object_id")

    class Meta:
        ordering = ("name",)
        constraints = (
            # In this order its index also serves the lookup of everything that one object is tagged with.
            models.UniqueConstraint(fields=("content_type", "object_id", "name"), name="shop_tag_unique"),
        )

    def __str__(self) -> str:
        return self.name


class ProductQuerySet(models.QuerySet["Product"]):
    """Products, as the catalogue reads them."""

    def with_ratings(self) -> ProductQuerySet:
        """Add `rating`, the average or None, and `review_count`."""
        # Subqueries run for the rows of one page only; a join would group every product before the page is cut.
        reviews = Review.objects.filter(product=models.OuterRef("pk")).order_by().values("product")
        return self.annotate(
            rating=models.Subquery(reviews.annotate(value=models.Avg("rating")).values("value")),
            review_count=Coalesce(models.Subquery(reviews.annotate(value=models.Count("*")).values("value")), 0),
        )

    def matching(self, text: str) -> ProductQuerySet:
        """Keep the products whose name contains every word of the text."""
        products = self
        for word in text.split():
            products = products.filter(name__icontains=word)
        return products


class Product(models.Model):
    """Something to buy."""

    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=140, unique=True)
    category = models.ForeignKey(Category, on_delete=models.PROTECT, related_name="products", db_index=False)
    description = models.TextField(blank=True)
    price = models.DecimalField(max_digits=8, decimal_places=2, validators=(MinValueValidator(Decimal("0.01")),))
    stock = models.PositiveIntegerField(default=0)
    created = models.DateTimeField(default=timezone.now, editable=False)

    tags = GenericRelation(Tag)

    objects = ProductQuerySet.as_manager()

    class Meta:
        ordering = ("-created", "-pk")
        indexes = (
            models.Index(fields=("-created", "-id"), name="shop_product_newest"),
            models.Index(fields=("category", "-created", "-id"), name="shop_product_category_newest"),
        )
        constraints = (models.CheckConstraint(condition=models.Q(price__gt=0), name="shop_product_price_positive"),)

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("shop:product-detail", args=(self.slug,))

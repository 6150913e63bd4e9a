"""What customers say about products."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

LOWEST_RATING, HIGHEST_RATING = 1, 5


class Review(models.Model):
    """One customer's opinion of one product."""

    product = models.ForeignKey("shop.Product", on_delete=models.CASCADE, related_name="reviews", db_index=False)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="reviews")
    rating = models.PositiveSmallIntegerField(
        validators=(MinValueValidator(LOWEST_RATING), MaxValueValidator(HIGHEST_RATING))
    )
    text = models.TextField(max_length=2000)
    created = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("-created", "-pk")
        constraints = (
            models.UniqueConstraint(fields=("product", "author"), name="shop_review_unique"),
            models.CheckConstraint(
                condition=models.Q(rating__range=(LOWEST_RATING, HIGHEST_RATING)), name="shop_review_rating_range"
            ),
        )

    def __str__(self) -> str:
        return f"{self.rating} of {HIGHEST_RATING}: {self.text:.40}"

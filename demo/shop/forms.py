"""What visitors may send."""

from django import forms

from demo.shop.models import Category
from demo.shop.models.reviews import HIGHEST_RATING, LOWEST_RATING

MOST_PER_CLICK = 20


class ReviewForm(forms.Form):
    """An opinion of a product."""

    rating = forms.TypedChoiceField(
        coerce=int,
        choices=[(n, f"{n} of {HIGHEST_RATING}") for n in range(HIGHEST_RATING, LOWEST_RATING - 1, -1)],
    )
    text = forms.CharField(
        label="Your review", max_length=2000, widget=forms.Textarea(attrs={"rows": 4, "maxlength": 2000})
    )


class CartForm(forms.Form):
    """How many of a product to put in the cart."""

    quantity = forms.IntegerField(min_value=1, max_value=MOST_PER_CLICK, initial=1)


class ProductsQuery(forms.Form):
    """The query string of the product API: a page is everything after a product id, up to a limit."""

    category = forms.ModelChoiceField(Category.objects.all(), to_field_name="slug", required=False)
    after = forms.IntegerField(min_value=0, max_value=2**63 - 1, required=False)
    limit = forms.IntegerField(min_value=1, max_value=100, required=False)

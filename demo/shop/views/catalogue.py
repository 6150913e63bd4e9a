"""Looking at products, and saying something about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from demo.shop.forms import CartForm, ProductsQuery, ReviewForm
from demo.shop.models import Category, Product, Review
from demo.shop.tasks import BESTSELLERS_KEY
from demo.shop.views.access import CustomerRequest, customers_post
from demo.shop.views.paging import paginate

if TYPE_CHECKING:
    from demo.shop.models.catalogue import ProductQuerySet

PRODUCTS_PER_PAGE = 24
REVIEWS_SHOWN = 20
DEFAULT_API_LIMIT = 25


def shelf() -> ProductQuerySet:
    """Products with what a card in the catalogue shows."""
    return Product.objects.select_related("category").with_ratings()


@require_safe
def product_list(request: HttpRequest) -> HttpResponse:
    """The catalogue, newest first, whole or one category of it."""
    products, category = shelf(), None
    if slug := request.GET.get("category"):
        category = get_object_or_404(Category, slug=slug)
        products = products.filter(category=category)
    context = {
        "category": category,
        "categories": Category.objects.all(),
        "bestsellers": None if request.GET else cache.get(BESTSELLERS_KEY),
        **paginate(request, products, PRODUCTS_PER_PAGE),
    }
    return render(request, "shop/product_list.html", context)


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Products by the words in their names."""
    text = request.GET.get("q", "").replace("\0", "").strip()[:100]
    products = shelf().matching(text) if text else Product.objects.none()
    return render(request, "shop/search.html", {"q": text, **paginate(request, products, PRODUCTS_PER_PAGE)})


@require_safe
def product_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """One product and what customers say about it."""
    return render_product(request, slug, ReviewForm())


@customers_post
def product_review(request: CustomerRequest, slug: str) -> HttpResponse:
    """Take a review; a customer's second one of a product replaces the first."""
    form = ReviewForm(request.POST)
    if not form.is_valid():
        return render_product(request, slug, form, status=400)
    product = get_object_or_404(Product, slug=slug)
    Review.objects.update_or_create(product=product, author=request.user, defaults=form.cleaned_data)
    messages.success(request, "Thank you for your review.")
    return redirect(product)


def render_product(request: HttpRequest, slug: str, review_form: ReviewForm, status: int = 200) -> HttpResponse:
    """The product page, with a review that has to be corrected or an empty form for one."""
    product = get_object_or_404(shelf().prefetch_related("tags"), slug=slug)
    context = {
        "product": product,
        "reviews": product.reviews.select_related("author")[:REVIEWS_SHOWN],
        "cart_form": CartForm(),
        "review_form": review_form,
    }
    return render(request, "shop/product_detail.html", context, status=status)


@require_safe
def api_products(request: HttpRequest) -> JsonResponse:
    """Products as JSON, by id; `next` is the `after` of the next page, or null on the last."""
    query = ProductsQuery(request.GET)
    if not query.is_valid():
        return JsonResponse({"errors": query.errors.get_json_data()}, status=400)
    category, limit = query.cleaned_data["category"], query.cleaned_data["limit"] or DEFAULT_API_LIMIT
    products = Product.objects.select_related("category").filter(pk__gt=query.cleaned_data["after"] or 0)
    if category:
        products = products.filter(category=category)
    page = list(products.order_by("pk")[:limit])
    results = [
        {
            "id": product.pk,
            "slug": product.slug,
            "name": product.name,
            "category": product.category.slug,
            "price": str(product.price),
            "stock": product.stock,
        }
        for product in page
    ]
    return JsonResponse({"results": results, "next": page[-1].pk if len(page) == limit else None})

"""The sample shop: its pages, its checkout, its background tasks and its seed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connections, transaction
from django.urls import reverse
from django.utils import timezone

from demo.shop.checkout import EmptyCartError, OutOfStockError, place_order
from demo.shop.models import Cart, CartLine, Category, Order, OrderLine, Product, Review, Tag
from demo.shop.tasks import BESTSELLERS_KEY, refresh_bestsellers, send_order_confirmation
from demo.shop.wares import WARES, wares

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

pytestmark = pytest.mark.django_db
committing = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kitchen() -> Category:
    return Category.objects.create(name="Kitchen", slug="kitchen")


@pytest.fixture
def mug(kitchen: Category) -> Product:
    product = Product.objects.create(
        name="Blue mug", slug="blue-mug", category=kitchen, price=Decimal("12.50"), stock=5
    )
    Tag.objects.create(content_object=product, name="gift")
    return product


@pytest.fixture
def bowl(kitchen: Category) -> Product:
    return Product.objects.create(name="Oak bowl", slug="oak-bowl", category=kitchen, price=Decimal(40), stock=3)


@pytest.fixture
def ann() -> User:
    return User.objects.create_user("ann", password="ann")


@pytest.fixture
def ann_at(client: Client, ann: User) -> Client:
    """A browser in which Ann has signed in."""
    client.force_login(ann)
    return client


def order(user: User, product: Product, quantity: int = 1, **fields: Any) -> Order:
    placed = Order.objects.create(user=user, total=product.price * quantity, **fields)
    OrderLine.objects.create(order=placed, product=product, quantity=quantity, unit_price=product.price)
    return placed


def put_in_cart(user: User, product: Product, quantity: int) -> None:
    cart, _ = Cart.objects.get_or_create(user=user)
    cart.add(product, quantity)


def text_of(client: Client, name: str, *args: Any, **query: Any) -> str:
    response = client.get(reverse(name, args=args), query)
    assert response.status_code == 200
    return response.content.decode()


# The catalogue


def test_the_catalogue_shows_products_with_their_ratings(
    client: Client, mug: Product, bowl: Product, ann: User
) -> None:
    Review.objects.create(product=mug, author=ann, rating=5, text="Lovely")
    Review.objects.create(product=mug, author=User.objects.create_user("bob"), rating=4, text="Good")
    text = text_of(client, "shop:product-list")
    assert mug.name in text
    assert bowl.name in text
    shown = {product.slug: vars(product) for product in Product.objects.with_ratings()}
    assert (shown["blue-mug"]["rating"], shown["blue-mug"]["review_count"]) == (4.5, 2)
    assert (shown["oak-bowl"]["rating"], shown["oak-bowl"]["review_count"]) == (None, 0)
    assert "No reviews yet" in text


def test_a_category_narrows_the_catalogue(client: Client, mug: Product) -> None:
    Category.objects.create(name="Bath", slug="bath")
    assert mug.name in text_of(client, "shop:product-list", category="kitchen")
    assert mug.name not in text_of(client, "shop:product-list", category="bath")
    assert client.get(reverse("shop:product-list"), {"category": "cellar"}).status_code == 404


def test_the_catalogue_comes_in_pages_and_keeps_its_filter(client: Client, kitchen: Category) -> None:
    now = timezone.now()
    Product.objects.bulk_create(
        Product(name=f"Spoon {n}", slug=f"spoon-{n}", category=kitchen, price=1, created=now - timedelta(minutes=n))
        for n in range(30)
    )
    first = text_of(client, "shop:product-list", category="kitchen")
    assert "Spoon 0<" in first
    assert "Spoon 29<" not in first
    assert "?category=kitchen&amp;page=2" in first
    assert "Spoon 29<" in text_of(client, "shop:product-list", category="kitchen", page=2)
    assert "Spoon 29<" in text_of(client, "shop:product-list", page="999"), "a page beyond the end is the last page"


def test_the_front_page_names_the_bestsellers(client: Client, mug: Product, bowl: Product, ann: User) -> None:
    order(ann, mug, 2)
    order(ann, bowl, 3)
    order(ann, mug, 9, status=Order.Status.CANCELLED)
    assert refresh_bestsellers() == 2
    assert [row["slug"] for row in cache.get(BESTSELLERS_KEY)] == ["oak-bowl", "blue-mug"]
    assert "Most bought" in text_of(client, "shop:product-list")
    assert "Most bought" not in text_of(client, "shop:product-list", page=1)


def test_a_product_page_shows_its_tags_and_reviews(client: Client, mug: Product, ann: User) -> None:
    Review.objects.create(product=mug, author=ann, rating=2, text="Too <b>small</b>")
    text = text_of(client, "shop:product-detail", mug.slug)
    assert "gift" in text
    assert "Too &lt;b&gt;small&lt;/b&gt;" in text
    assert "Sign in to buy" in text
    assert client.get(reverse("shop:product-detail", args=("nothing",))).status_code == 404


def test_search_wants_every_word(client: Client, mug: Product, bowl: Product) -> None:
    text = text_of(client, "shop:search", q="mug blue")
    assert mug.name in text
    assert bowl.name not in text
    assert "No product" in text_of(client, "shop:search", q="blue bowl")
    assert "Type what" in text_of(client, "shop:search", q="  ")
    assert "No product" in text_of(client, "shop:search", q="%\0_")


def test_list_and_detail_need_few_queries(
    client: Client,
    kitchen: Category,
    mug: Product,
    ann: User,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    Product.objects.bulk_create(
        Product(name=f"Spoon {n}", slug=f"spoon-{n}", category=kitchen, price=1) for n in range(20)
    )
    Review.objects.create(product=mug, author=ann, rating=5, text="Lovely")
    Review.objects.create(product=mug, author=User.objects.create_user("bob"), rating=4, text="Good")
    for name, args in (("shop:product-list", ()), ("shop:product-detail", (mug.slug,)), ("shop:search", ())):
        text_of(client, name, *args, q="o")
        with django_assert_max_num_queries(3):
            text_of(client, name, *args, q="o")


def test_a_second_review_replaces_the_first(ann_at: Client, mug: Product) -> None:
    url = reverse("shop:product-review", args=(mug.slug,))
    assert ann_at.post(url, {"rating": 2, "text": "Small"}).status_code == 302
    assert ann_at.post(url, {"rating": 4, "text": "Grew on me"}, follow=True).status_code == 200
    review = Review.objects.get()
    assert (review.rating, review.text, review.author.username) == (4, "Grew on me", "ann")


def test_a_review_without_text_comes_back(ann_at: Client, mug: Product) -> None:
    response = ann_at.post(reverse("shop:product-review", args=(mug.slug,)), {"rating": 9, "text": ""})
    assert response.status_code == 400
    assert "This field is required." in response.content.decode()
    assert not Review.objects.exists()


# The product API


def test_the_api_pages_through_the_products(client: Client, mug: Product, bowl: Product) -> None:
    url = reverse("shop:api-products")
    first = client.get(url, {"limit": 1}).json()
    assert first["results"] == [
        {"id": mug.pk, "slug": "blue-mug", "name": "Blue mug", "category": "kitchen", "price": "12.50", "stock": 5}
    ]
    second = client.get(url, {"after": first["next"], "category": "kitchen"}).json()
    assert [product["slug"] for product in second["results"]] == ["oak-bowl"]
    assert second["next"] is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("limit", "0"),
        ("limit", "101"),
        ("limit", "many"),
        ("after", "-1"),
        ("after", "1e3"),
        ("after", str(2**63)),
        ("category", "cellar"),
    ],
)
def test_the_api_refuses_a_bad_query(client: Client, field: str, value: str) -> None:
    response = client.get(reverse("shop:api-products"), {field: value})
    assert response.status_code == 400
    assert list(response.json()["errors"]) == [field]


# Cart and checkout


def test_the_cart_adds_up(ann_at: Client, mug: Product) -> None:
    url = reverse("shop:cart-add", args=(mug.slug,))
    assert ann_at.post(url, {"quantity": 2}).status_code == 302
    assert ann_at.post(url, {"quantity": 1}).status_code == 302
    assert CartLine.objects.get().quantity == 3
    assert "37.50" in text_of(ann_at, "shop:cart")


@pytest.mark.parametrize("quantity", ["0", "21", "", "x"])
def test_the_cart_refuses_odd_quantities(ann_at: Client, mug: Product, quantity: str) -> None:
    response = ann_at.post(reverse("shop:cart-add", args=(mug.slug,)), {"quantity": quantity}, follow=True)
    assert "between 1 and 20" in response.content.decode()
    assert not CartLine.objects.exists()


def test_a_line_can_be_taken_out_of_the_own_cart_only(ann_at: Client, ann: User, mug: Product) -> None:
    bob = User.objects.create_user("bob")
    put_in_cart(ann, mug, 1)
    put_in_cart(bob, mug, 1)
    assert ann_at.post(reverse("shop:cart-remove", args=(mug.slug,))).status_code == 302
    assert CartLine.objects.get().cart.user == bob


@committing
def test_checkout_takes_stock_and_empties_the_cart(
    ann_at: Client, ann: User, mug: Product, bowl: Product, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "demo.shop.tasks")
    put_in_cart(ann, mug, 2)
    put_in_cart(ann, bowl, 3)
    response = ann_at.post(reverse("shop:checkout"), follow=True)
    placed = Order.objects.get()
    assert response.redirect_chain == [(placed.get_absolute_url(), 302)]
    assert "Thank you for your order." in response.content.decode()
    assert (placed.user, placed.status, placed.total) == (ann, Order.Status.PLACED, Decimal(145))
    assert list(placed.lines.values_list("product__slug", "quantity", "unit_price")) == [
        ("blue-mug", 2, Decimal("12.50")),
        ("oak-bowl", 3, Decimal(40)),
    ]
    assert list(Product.objects.order_by("pk").values_list("stock", flat=True)) == [3, 0]
    assert not CartLine.objects.exists()
    assert f"Dear ann, thank you for order {placed.pk}." in caplog.text


def test_checkout_refuses_to_oversell(ann_at: Client, ann: User, mug: Product, bowl: Product) -> None:
    put_in_cart(ann, mug, 1)
    put_in_cart(ann, bowl, 4)
    response = ann_at.post(reverse("shop:checkout"), follow=True)
    assert "Only 3 of “Oak bowl” left." in response.content.decode()
    assert not Order.objects.exists()
    assert list(Product.objects.order_by("pk").values_list("stock", flat=True)) == [5, 3], "nothing half done"
    assert CartLine.objects.count() == 2
    with pytest.raises(OutOfStockError):
        place_order(ann)


@committing
def test_two_customers_cannot_both_have_the_last_pieces(ann: User, bowl: Product) -> None:
    customers = [ann, User.objects.create_user("bob")]
    for customer in customers:
        put_in_cart(customer, bowl, 2)

    def outcome(customer: User) -> str:
        try:
            place_order(customer)
        except OutOfStockError:
            return "refused"
        finally:
            connections.close_all()
        return "ordered"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(outcome, customers)) == ["ordered", "refused"]
    assert Product.objects.get().stock == 1


def test_checkout_refuses_an_empty_cart(ann_at: Client, ann: User) -> None:
    assert "Your cart is empty." in ann_at.post(reverse("shop:checkout"), follow=True).content.decode()
    with pytest.raises(EmptyCartError):
        place_order(ann)
    assert not Order.objects.exists()


def test_the_confirmation_lists_the_order(ann: User, mug: Product) -> None:
    letter = send_order_confirmation(order(ann, mug, 2).pk)
    assert "Dear ann" in letter
    assert "2 x Blue mug: 25.00" in letter


@pytest.mark.parametrize(
    ("model", "fields"), [(CartLine, {"quantity": 0}), (OrderLine, {"quantity": 0, "unit_price": 1})]
)
def test_the_database_refuses_lines_of_nothing(
    ann: User, mug: Product, model: type[CartLine | OrderLine], fields: dict[str, int]
) -> None:
    owner: dict[str, Any] = {"cart": Cart.objects.create(user=ann)} if model is CartLine else {"order": order(ann, mug)}
    with pytest.raises(IntegrityError), transaction.atomic():
        model.objects.create(product=mug, **owner, **fields)


# Orders, report and access


def test_customers_see_their_own_orders_newest_first(ann_at: Client, ann: User, mug: Product) -> None:
    now = timezone.now()
    newer = order(ann, mug, 3, created=now)
    older = order(ann, mug, 2, created=now - timedelta(days=1))
    foreign = order(User.objects.create_user("bob"), mug)
    text = text_of(ann_at, "shop:order-list")
    assert text.index(f"No. {newer.pk}") < text.index(f"No. {older.pk}")
    assert f"No. {foreign.pk}<" not in text
    assert "37.50" in text_of(ann_at, "shop:order-detail", newer.pk)
    assert ann_at.get(foreign.get_absolute_url()).status_code == 404


def test_the_report_counts_what_was_sold(client: Client, ann: User, mug: Product, bowl: Product) -> None:
    order(ann, mug, 2)
    order(ann, bowl, 1)
    order(ann, bowl, 3, status=Order.Status.CANCELLED)
    order(ann, bowl, 3, created=timezone.now() - timedelta(days=40))
    response = client.get(reverse("shop:report"))
    assert response.context["summary"] == {"orders": 2, "customers": 1, "revenue": Decimal(65)}
    (today,) = response.context["days"]
    assert (today["amounts"], today["total"]) == ([Decimal(65)], Decimal(65))
    assert [row["slug"] for row in response.context["top_products"]] == ["oak-bowl", "blue-mug"]


def test_the_report_of_an_empty_shop(client: Client) -> None:
    assert "€0.00" in text_of(client, "shop:report")


@pytest.mark.parametrize("name", ["shop:cart", "shop:order-list"])
def test_customer_pages_ask_to_sign_in(client: Client, name: str) -> None:
    url = reverse(name)
    assert client.get(url).headers["Location"] == f"{reverse('shop:login')}?next={url}"


def test_who_posts_without_signing_in_comes_back_to_the_form(client: Client, mug: Product) -> None:
    page = f"http://testserver{mug.get_absolute_url()}"
    add = reverse("shop:cart-add", args=(mug.slug,))
    login = client.post(add, {"quantity": 1}, headers={"Referer": page}).headers["Location"]
    User.objects.create_user("bob", password="bob")
    assert client.post(login, {"username": "bob", "password": "bob", "next": page}).headers["Location"] == page
    assert client.get(add).status_code == 405


def test_signing_in_and_out_again(client: Client, ann: User) -> None:
    login = reverse("shop:login")
    assert "user1" in text_of(client, "shop:login")
    assert "correct username" in client.post(login, {"username": "ann", "password": "?"}).content.decode()
    response = client.post(login, {"username": ann.username, "password": "ann"}, follow=True)
    assert "Sign out" in response.content.decode()
    assert "Sign in" in client.post(reverse("shop:logout"), follow=True).content.decode()


def test_pages_hold_nothing_that_a_strict_content_policy_blocks(ann_at: Client, ann: User, mug: Product) -> None:
    put_in_cart(ann, mug, 1)
    placed = order(ann, mug)
    names = ("product-list", "search", "cart", "order-list", "report", "login", "product-detail", "order-detail")
    args = {"product-detail": mug.slug, "order-detail": placed.pk}
    for name in names:
        text = text_of(ann_at, f"shop:{name}", *([args[name]] if name in args else []))
        assert not [word for word in ("<script", "<style", " style=", " onclick=", "https://") if word in text], name


def test_the_shop_stands_in_the_admin(admin_client: Client, mug: Product, ann: User) -> None:
    placed = order(ann, mug)
    Review.objects.create(product=mug, author=ann, rating=5, text="Lovely")
    put_in_cart(ann, mug, 1)
    for model in ("category", "product", "tag", "review", "cart", "order"):
        assert text_of(admin_client, f"admin:shop_{model}_changelist")
    assert "Blue mug" in text_of(admin_client, "admin:shop_order_change", placed.pk)


# The seed


def seed(*options: str, products: int = 12, users: int = 4) -> str:
    out = StringIO()
    sizes = (f"--products={products}", f"--users={users}", "--reviews=20", "--orders=10")
    call_command("seed_shop", *sizes, *options, stdout=out)
    return out.getvalue()


def contents() -> list[Any]:
    return [
        list(Product.objects.order_by("pk").values_list("name", "price", "stock")),
        list(Review.objects.order_by("pk").values_list("product__slug", "author__username", "rating")),
        list(Order.objects.order_by("pk").values_list("user__username", "total", "status")),
        list(Tag.objects.order_by("object_id", "name").values_list("name", flat=True)),
    ]


def test_seeding_twice_changes_nothing() -> None:
    assert "The shop is ready" in seed()
    assert Product.objects.count() == 12
    assert User.objects.filter(username__startswith="user").count() == 4
    assert Review.objects.count() == 20
    assert Order.objects.count() == 10
    before = contents()
    assert "12 products already" in seed(products=99)
    assert contents() == before


@committing
def test_the_same_seed_gives_the_same_shop() -> None:
    seed("--seed=7")
    before = contents()
    seed("--seed=7", "--fresh")
    assert contents() == before
    seed("--seed=8", "--fresh")
    assert contents() != before


def test_seeded_people_can_sign_in(client: Client) -> None:
    seed()
    for name, password in (("user1", "shop"), ("user4", "shop"), ("admin", "admin"), ("operator", "operator")):
        assert client.login(username=name, password=password), name
    operator = User.objects.get(username="operator")
    assert (operator.is_staff, operator.is_superuser, operator.get_all_permissions()) == (True, False, set())
    assert User.objects.get(username="admin").is_superuser


def test_order_totals_agree_with_their_lines() -> None:
    seed()
    for placed in Order.objects.prefetch_related("lines"):
        assert placed.total == sum(line.amount for line in placed.lines.all()) > 0


@committing
def test_a_shop_may_be_seeded_with_less_than_everything() -> None:
    assert "The shop is ready" in seed(users=0)
    assert not Review.objects.exists()
    assert "The shop is ready" in seed("--fresh", products=1, users=2)
    assert Review.objects.count() == 2, "no customer reviews a product twice"


def test_negative_sizes_are_refused() -> None:
    with pytest.raises(CommandError, match="negative"):
        seed(products=-1)


def test_the_words_make_enough_different_products() -> None:
    names = [ware.name for ware in wares()]
    assert len(set(names)) == len(names) > 20_000
    assert len(WARES) == 8

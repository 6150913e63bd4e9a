"""The sample shop's contents: the same for the same seed, except that times count back from now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, TypeVar

from django.apps import apps
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Manager, Model
from django.utils.text import slugify

from demo.shop.models import Category, Order, OrderLine, Product, Review, Tag
from demo.shop.wares import OPINIONS, TAGS, WARES, wares

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BATCH = 2_000
PASSWORD = "shop"
CATALOGUE_DAYS = 365
ORDER_DAYS = 60
SOLD_OUT_ONE_IN = 50
STATUS_WEIGHTS = {
    Order.Status.PLACED: 5,
    Order.Status.SHIPPED: 15,
    Order.Status.DELIVERED: 75,
    Order.Status.CANCELLED: 5,
}

M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Sizes:
    """How much of everything there is."""

    products: int
    reviews: int
    users: int
    orders: int


class Seeder:
    """Fills an empty shop, and tells `progress` what it fills, how far it is and how far it goes."""

    def __init__(self, sizes: Sizes, seed: int, now: datetime, progress: Callable[[str, int, int], None]) -> None:
        self.sizes, self.seed, self.now, self.progress = sizes, seed, now, progress

    @transaction.atomic
    def run(self) -> None:
        """Fill the shop, all or nothing: an interrupted run leaves it as it was."""
        create_staff()
        users = self.save("customers", User.objects, customers(self.sizes.users))
        categories = self.save(
            "categories", Category.objects, [Category(name=name, slug=slugify(name)) for name in WARES]
        )
        products = self.save("products", Product.objects, self.products(categories))
        self.save("tags", Tag.objects, self.tags(products))
        if products and users:
            self.save("reviews", Review.objects, self.reviews(products, users))
            orders, lines = self.orders(products, users)
            self.save("orders", Order.objects, orders)
            self.save("order lines", OrderLine.objects, lines)

    def save(self, label: str, manager: Manager[M], rows: list[M]) -> list[M]:
        """Insert the rows in batches; they have their keys afterwards."""
        for start in range(0, len(rows), BATCH):
            batch = rows[start : start + BATCH]
            manager.bulk_create(batch)
            self.progress(label, start + len(batch), len(rows))
        return rows

    def random(self, label: str) -> Random:
        """A source of its own for each table, so that more of one thing leaves the others as they are."""
        return Random(f"{self.seed} {label}")

    def ago(self, random: Random, days: float) -> datetime:
        """Some moment in the last so many days."""
        return self.now - timedelta(days=days * random.random())

    def products(self, categories: Sequence[Category]) -> list[Product]:
        """The catalogue, in random order; when the words run out, further editions of the same things."""
        random = self.random("products")
        by_name = {category.name: category for category in categories}
        words = random.sample(pool := wares(), len(pool))
        products = []
        for number in range(self.sizes.products):
            edition, index = divmod(number, len(words))
            ware = words[index]
            name = f"{ware.name}, no. {edition + 1}" if edition else ware.name
            product = Product(
                name=name,
                slug=slugify(name),
                category=by_name[ware.category],
                description=ware.description,
                price=Decimal(random.randint(4, 120)) - random.choice((Decimal("0.05"), Decimal("0.50"), Decimal(0))),
                stock=random.randint(40, 400) if random.randrange(SOLD_OUT_ONE_IN) else 0,
                created=self.ago(random, CATALOGUE_DAYS),
            )
            products.append(product)
        return products

    def tags(self, products: Sequence[Product]) -> list[Tag]:
        """Up to two words on about a third of the products."""
        random = self.random("tags")
        return [
            Tag(content_object=product, name=name)
            for product in products
            for name in random.sample(TAGS, random.choices((0, 1, 2), (64, 26, 10))[0])
        ]

    def reviews(self, products: Sequence[Product], users: Sequence[User]) -> list[Review]:
        """Opinions, mostly good ones, and never two of one customer on one product."""
        random = self.random("reviews")
        pairs = len(products) * len(users)
        reviews = []
        for pair in random.sample(range(pairs), min(self.sizes.reviews, pairs)):
            product, author = products[pair // len(users)], users[pair % len(users)]
            rating = random.choices(tuple(OPINIONS), (4, 6, 15, 35, 40))[0]
            created = max(self.ago(random, CATALOGUE_DAYS), product.created)
            text = random.choice(OPINIONS[rating])
            reviews.append(Review(product=product, author=author, rating=rating, text=text, created=created))
        return reviews

    def orders(self, products: Sequence[Product], users: Sequence[User]) -> tuple[list[Order], list[OrderLine]]:
        """Orders of one to four products, some of which are bought much more than others."""
        random = self.random("orders")
        orders, lines = [], []
        for created in sorted(self.ago(random, ORDER_DAYS) for _ in range(self.sizes.orders)):
            favourites = {int(len(products) * random.random() ** 2) for _ in range(random.randint(1, 4))}
            order = Order(
                user=random.choice(users),
                status=random.choices(tuple(STATUS_WEIGHTS), tuple(STATUS_WEIGHTS.values()))[0],
                total=Decimal(0),
                created=created,
            )
            for product in (products[index] for index in sorted(favourites)):
                line = OrderLine(
                    order=order, product=product, quantity=random.choice((1, 1, 1, 2, 3)), unit_price=product.price
                )
                order.total += line.amount
                lines.append(line)
            orders.append(order)
        return orders, lines


def customers(count: int) -> list[User]:
    """`user1` and so on, with one password, hashed once because hashing is slow on purpose."""
    password = make_password(PASSWORD)
    return [User(username=f"user{number}", password=password) for number in range(1, count + 1)]


def create_staff() -> None:
    """`admin`, who may do everything, and `operator`, who may enter the admin and nothing more."""
    if not User.objects.filter(username="admin").exists():
        User.objects.create_superuser("admin", password="admin")
    if not User.objects.filter(username="operator").exists():
        User.objects.create_user("operator", password="operator", is_staff=True)


@transaction.atomic
def clear() -> None:
    """Take everything out of the shop, its customers too; staff stay."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(shop_tables())} RESTART IDENTITY")
    User.objects.filter(username__regex=r"^user[0-9]+$").delete()


def analyze() -> None:
    """Give the planner statistics at once; autovacuum would take a minute, and replicas cannot do it themselves."""
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(shop_tables())}")


def shop_tables() -> list[str]:
    """The names of the shop's own tables, quoted."""
    models = apps.get_app_config("shop").get_models()
    return [connection.ops.quote_name(model._meta.db_table) for model in models]

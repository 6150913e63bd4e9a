"""What is in the shop, and who visits it."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from demo.cluster import Server

PRODUCTS, REVIEWS, USERS, ORDERS = 2_000, 4_000, 400, 4_000
COPIES = 20
"""Of each product, without its reviews. The primary makes them, which is quicker than to seed as many."""

GUESTS = 100_000
"""So many that the share of them whose gate is open is that of the flag to within half a percent."""

CUSTOMERS = 200
SLUGS = 500
"""So many products are asked for by name."""

_COPY_PRODUCTS = """
INSERT INTO shop_product (name, slug, category_id, description, price, stock, created)
SELECT name || ', no. ' || copy, slug || '-no-' || copy, category_id, description, price, stock,
    created - copy * interval '7 minutes'
FROM shop_product, generate_series(2, %s) copy
"""


@dataclass(frozen=True, slots=True)
class Content:
    """slugs: of the products. sessions: keys of customers who have signed in. guests: how many visitors have not."""

    slugs: tuple[str, ...]
    sessions: tuple[str, ...]
    guests: int = GUESTS

    @classmethod
    def load(cls, file: Path) -> Self:
        values = json.loads(file.read_text())
        return cls(tuple(values["slugs"]), tuple(values["sessions"]), values["guests"])

    def save(self, file: Path) -> None:
        file.write_text(json.dumps(asdict(self)))


def multiply(primary: Server, database: str) -> None:
    """Make a large shop of a small one."""
    primary.query(_COPY_PRODUCTS, [COPIES], database)
    primary.query("VACUUM ANALYZE", dbname=database)

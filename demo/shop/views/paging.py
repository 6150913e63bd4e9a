"""Pages of long lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from django.core.paginator import Paginator

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet
    from django.http import HttpRequest

M = TypeVar("M", bound="Model")


def paginate(request: HttpRequest, rows: QuerySet[M], size: int) -> dict[str, Any]:
    """What `shop/_pager.html` and the list above it need. A page that does not exist becomes the nearest that does."""
    paginator = Paginator(rows, size)
    page = paginator.get_page(request.GET.get("page"))
    return {"page": page, "page_numbers": paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1)}

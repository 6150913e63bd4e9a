"""The shop in the Django admin."""

from django.contrib import admin

from demo.shop.models import Cart, Category, Order, OrderLine, Product, Review, Tag


class OrderLineInline(admin.TabularInline):  # type: ignore[type-arg]  # not subscriptable when it runs
    """The lines of an order, on the order's page."""

    model = OrderLine
    extra = 0
    raw_id_fields = ("product",)


admin.site.register(Category, prepopulated_fields={"slug": ("name",)}, list_display=("name", "slug"))
admin.site.register(
    Product,
    list_display=("name", "category", "price", "stock", "created"),
    list_filter=("category",),
    list_select_related=("category",),
    search_fields=("name",),
    prepopulated_fields={"slug": ("name",)},
)
admin.site.register(Tag, list_display=("name", "content_object"), list_filter=("name",))
admin.site.register(
    Review,
    list_display=("product", "author", "rating", "created"),
    list_filter=("rating",),
    list_select_related=("product", "author"),
    raw_id_fields=("product", "author"),
)
admin.site.register(Cart, list_display=("user",), list_select_related=("user",), raw_id_fields=("user",))
admin.site.register(
    Order,
    list_display=("id", "user", "status", "total", "created"),
    list_filter=("status",),
    list_select_related=("user",),
    date_hierarchy="created",
    raw_id_fields=("user",),
    inlines=(OrderLineInline,),
)

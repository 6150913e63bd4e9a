"""The shop's addresses; each name is an endpoint that a routing rule can target."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from demo.shop.views import carts, catalogue, orders, report

app_name = "shop"
urlpatterns = [
    path("", catalogue.product_list, name="product-list"),
    path("search/", catalogue.search, name="search"),
    path("products/<slug:slug>/", catalogue.product_detail, name="product-detail"),
    path("products/<slug:slug>/review/", catalogue.product_review, name="product-review"),
    path("cart/", carts.cart, name="cart"),
    path("cart/add/<slug:slug>/", carts.cart_add, name="cart-add"),
    path("cart/remove/<slug:slug>/", carts.cart_remove, name="cart-remove"),
    path("checkout/", orders.checkout, name="checkout"),
    path("orders/", orders.order_list, name="order-list"),
    path("orders/<int:pk>/", orders.order_detail, name="order-detail"),
    path("report/", report.report, name="report"),
    path("api/products/", catalogue.api_products, name="api-products"),
    path("login/", LoginView.as_view(template_name="shop/login.html", next_page="shop:product-list"), name="login"),
    path("logout/", LogoutView.as_view(next_page="shop:product-list"), name="logout"),
]

"""The suite's addresses and the toolbar's."""

from debug_toolbar.toolbar import debug_toolbar_urls

from tests import urls

urlpatterns = [*debug_toolbar_urls(), *urls.urlpatterns]

"""What the admin finds by itself: the dashboard and the rules, on the default site."""

from django.contrib import admin

from admin_ui.dashboard import DashboardAdmin
from admin_ui.models import Dashboard
from admin_ui.rules.admin import RoutingRuleAdmin
from rollout.models import RoutingRule

admin.site.register(Dashboard, DashboardAdmin)
admin.site.register(RoutingRule, RoutingRuleAdmin)

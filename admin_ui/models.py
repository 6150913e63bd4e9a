"""What stands for the dashboard in the admin's index and among the permissions. It has no table."""

from typing import ClassVar

from django.db import models


class Dashboard(models.Model):
    """The dashboard as the admin sees it: a name, an address, and one permission."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions: ClassVar = [("view_dashboard", "Can view Readshift's dashboard")]
        verbose_name = "dashboard"
        verbose_name_plural = "dashboard"

    def __str__(self) -> str:
        return "Readshift's dashboard"

"""Generic relations that ask the router where to write, as all other relations do."""

from typing import Any

from django.apps import apps
from django.contrib.contenttypes.fields import ReverseGenericManyToOneDescriptor
from django.db.models import Model
from django.db.models.signals import class_prepared
from django.utils.functional import cached_property


class FreeGenericRelation(ReverseGenericManyToOneDescriptor):
    """Gives a generic relation a manager that asks where to write when it writes, as those of all other relations do.

    Django's own (ticket 36389) binds its querysets to the alias that it reads from. Their `update()` and `delete()`
    then go to the replica, they read from it even after a write, and as subqueries they fit no query on another server.
    A router cannot tell that question from others, and answering all of them with the primary would cost their reads
    and still break subqueries. So this takes the place of the one attribute, on models that have generic relations.
    """

    @cached_property
    def related_manager_cls(self) -> type[Any]:
        return _free(super().related_manager_cls)


def _free(manager_class: type[Any]) -> type[Any]:
    """Return a class of generic related managers whose querysets are bound only to what the caller bound them to."""

    class FreeManager(manager_class):  # type: ignore[misc]
        def __call__(self, *, manager: str) -> Any:
            return _free(type(super().__call__(manager=manager)))(self.instance)

        def _apply_rel_filters(self, queryset: Any) -> Any:
            bound_to = queryset._db  # noqa: SLF001 - `QuerySet.db` would ask the router
            found = super()._apply_rel_filters(queryset).using(bound_to)
            # What belongs to an object of another database is there, too. Other related managers give the same hint.
            found._add_hints(instance=self.instance)  # noqa: SLF001
            return found

    return FreeManager


def _free_generic_relations(sender: type[Model], **_: Any) -> None:
    for name, attribute in list(vars(sender).items()):
        # A package's own kind of relation may mean to differ.
        if type(attribute) is ReverseGenericManyToOneDescriptor:
            setattr(sender, name, FreeGenericRelation(attribute.rel))


def connect() -> None:
    """Free the generic relations of all models, and of those that are made later. Called once, in `ready()`."""
    class_prepared.connect(_free_generic_relations, dispatch_uid="readshift.generic_relations")
    for models in list(apps.all_models.values()):
        for model in list(models.values()):
            _free_generic_relations(model)

"""Tasks that tests send to real workers, and the view that sends them."""

import os

from celery import Celery, shared_task
from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from routers.blocks import use_primary
from tests.writes import save

BROKER_VARIABLE = "READSHIFT_TEST_BROKER"
DONE = "tests:done"


@shared_task(name="tests.save_a_product")
def save_a_product(tries: int = 0) -> None:
    """Write for whoever asked for it, let them know, and leave a block open. It succeeds after so many tries."""
    if save_a_product.request.retries < tries:
        raise save_a_product.retry(countdown=0)
    save()
    use_primary().__enter__()
    cache.set(DONE, True)


def send(name: str, **arguments: object) -> None:
    """Send a task to the worker of this test."""
    with Celery(broker=os.environ[BROKER_VARIABLE], set_as_current=False) as client:
        client.send_task(name, kwargs=arguments)


def delegated(request: HttpRequest) -> HttpResponse:
    """Leave the writing to a task, once a transaction that writes nothing has committed."""
    with transaction.atomic():
        transaction.on_commit(lambda: send("tests.save_a_product", tries=1))
    return HttpResponse()

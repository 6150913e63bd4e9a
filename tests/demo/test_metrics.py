"""The demo lets Prometheus ask it, with the token that it prints."""

from typing import Any

import pytest
from django.test import Client

from demo.settings import METRICS_TOKEN
from tests.support import Servers


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_the_demo_answers_prometheus_with_the_token_that_it_prints(servers: Servers, settings: Any) -> None:
    settings.ROOT_URLCONF = "demo.urls"
    client = Client()
    assert client.get("/readshift/metrics/").status_code == 403
    answer = client.get("/readshift/metrics/", headers={"Authorization": f"Bearer {METRICS_TOKEN}"})
    assert answer.status_code == 200
    assert b"readshift_kill_switch_on 1.0" in answer.content

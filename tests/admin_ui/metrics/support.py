"""Metrics as a scraper sees them."""

from collections.abc import Callable
from typing import Any

from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

ADDRESS = "/readshift/metrics/"
TOKEN = "t" * 32

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def parsed(text: str) -> Series:
    """Return the value of each series by its name and labels."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value_of(series: Series, name: str, **labels: str) -> float | None:
    """Return the value of the one series that has exactly these labels, or None."""
    return series.get((name, frozenset(labels.items())))


def total_of(series: Series, name: str, **labels: str) -> float:
    """Return the sum of all series that have these labels, whatever others they have."""
    return sum(value for (each, own), value in series.items() if each == name and labels.items() <= dict(own).items())


def ask(token: str | None = TOKEN, **headers: str) -> Any:
    """Ask as a program does."""
    credentials = {} if token is None else {"Authorization": f"Bearer {token}"}
    return Client().get(ADDRESS, headers={**credentials, **headers})


def scrape(response: Callable[[], Any] = ask) -> Series:
    answer = response()
    assert answer.status_code == 200, answer.content
    return parsed(answer.content.decode())

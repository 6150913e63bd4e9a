"""What bodies of the webhook ask for."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin_ui.operating.orders import Order, OrderError, read_order


def order(content: object) -> Order:
    return read_order(json.dumps(content).encode())


def group(*alerts: tuple[str, dict[str, str]], status: str = "firing", **common: dict[str, str]) -> dict[str, Any]:
    """Return what Alertmanager sends for these alerts, each a status and its labels."""
    return {
        "version": "4",
        "status": status,
        "receiver": "readshift",
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager:9093",
        "alerts": [{"status": each, "labels": labels, "annotations": {}} for each, labels in alerts],
        **common,
    }


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"rule": "names"}, Order(("names",))),
        ({"rule": "names", "why": "errors\0 doubled"}, Order(("names",), why="errors doubled")),
        ({"all": True, "why": 7}, Order(everything=True)),
        ({"all": True, "rule": "names"}, Order(everything=True)),
        ({"all": "true", "rule": "names"}, Order(("names",))),
    ],
)
def test_a_plain_body_names_a_rule_or_all(content: object, expected: Order) -> None:
    assert order(content) == expected


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[]", b"{}", b'{"rule": ""}', b'{"rule": 7}', b'{"all": false}'])
def test_a_body_that_names_nothing_is_refused_with_what_is_expected(body: bytes) -> None:
    with pytest.raises(OrderError, match=r"Send \{\"rule\""):
        read_order(body)


def test_firing_alerts_name_rules_by_a_label_and_others_do_not_count() -> None:
    alerts = group(
        ("firing", {"readshift_rule": "names"}),
        ("resolved", {"readshift_rule": "calm", "readshift_all": "true"}),
        ("firing", {"readshift_rule": "names-async"}),
        ("firing", {"severity": "page"}),
    )
    assert order(alerts) == Order(("names", "names-async"))


def test_labels_that_all_alerts_share_count_and_say_why() -> None:
    common = {"readshift_rule": "names", "alertname": "ErrorsDoubled"}
    assert order(group(commonLabels=common)) == Order(("names",), why="ErrorsDoubled")
    why = {"summary": "5xx above 2 %"}
    assert order(group(commonLabels=common, commonAnnotations=why)).why == "5xx above 2 %"


@pytest.mark.parametrize(("value", "everything"), [("true", True), ("false", False), ("", False)])
def test_everything_has_a_label_of_its_own(value: str, everything: bool) -> None:
    assert order(group(("firing", {"readshift_all": value, "readshift_rule": "names"}))).everything == everything


def test_an_alert_that_is_over_asks_for_nothing() -> None:
    assert order(group(("resolved", {"readshift_all": "true"}), status="resolved")) == Order()


def test_a_firing_alert_without_our_labels_is_refused_with_their_names() -> None:
    with pytest.raises(OrderError, match="No firing alert has the label readshift_rule, or readshift_all"):
        order(group(("firing", {"severity": "page"})))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(["status", "alerts", "commonLabels", "commonAnnotations", "rule"]), anything))
def test_no_body_breaks_the_reader(content: dict[str, Any]) -> None:
    with suppress(OrderError):
        order({"status": "firing", **content})

"""What a caller of the webhook asks for, from the body of the call. Pure.

Bodies are plain, as Datadog and scripts send them, or those of Alertmanager and Grafana, whose alerts name rules by
labels.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

RULE_LABEL = "readshift_rule"
ALL_LABEL = "readshift_all"

_PLAIN = '{"rule": "endpoint:shop:product-list", "why": "errors doubled"} or {"all": true}'


class OrderError(ValueError):
    """A body from which nothing can be told. The message says what is expected."""


@dataclass(frozen=True, slots=True)
class Order:
    """names: the rules to take back, as `rollout.naming` understands them. everything: all reads instead.

    Without names, and not everything: there is nothing to do, since the alert is over. why: the reason, or empty.
    """

    names: tuple[str, ...] = ()
    everything: bool = False
    why: str = ""


def read_order(body: bytes) -> Order:
    """Read a body. Raises `OrderError` for one that names nothing to take back."""
    try:
        content = json.loads(body)
    except ValueError as error:
        raise OrderError(f"The body is no JSON. Send {_PLAIN}.") from error
    if not isinstance(content, Mapping):
        raise OrderError(f"The body is no JSON object. Send {_PLAIN}.")
    return _from_alerts(content) if "alerts" in content or "commonLabels" in content else _plain(content)


def _plain(content: Mapping[str, Any]) -> Order:
    rule, why = content.get("rule"), content.get("why", "")
    why = _text(why)
    if content.get("all") is True:
        return Order(everything=True, why=why)
    if not isinstance(rule, str) or not rule:
        raise OrderError(f"The body names no rule. Send {_PLAIN}.")
    return Order((rule,), why=why)


def _from_alerts(content: Mapping[str, Any]) -> Order:
    """Read what Alertmanager sends for a group of alerts, some of which may be over. Grafana sends the same."""
    if content.get("status") != "firing":
        return Order()
    labels = [*_labels_of_firing(content)]
    why = _why(content)
    if any(each.get(ALL_LABEL) == "true" for each in labels):
        return Order(everything=True, why=why)
    names = dict.fromkeys(name for each in labels if isinstance(name := each.get(RULE_LABEL), str) and name)
    if not names:
        raise OrderError(f"No firing alert has the label {RULE_LABEL}, or {ALL_LABEL} with the value true. Add one.")
    return Order(tuple(names), why=why)


def _labels_of_firing(content: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield _mapping(content.get("commonLabels"))
    alerts = content.get("alerts")
    for alert in map(_mapping, alerts if isinstance(alerts, list) else []):
        if alert.get("status") == "firing":
            yield _mapping(alert.get("labels"))


def _why(content: Mapping[str, Any]) -> str:
    """Return what the alerts have in common in words, else their name."""
    annotations, labels = _mapping(content.get("commonAnnotations")), _mapping(content.get("commonLabels"))
    said = (annotations.get("summary"), annotations.get("description"), labels.get("alertname"))
    return next((text for text in map(_text, said) if text), "")


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    # PostgreSQL stores no zero bytes.
    return value.replace("\0", "") if isinstance(value, str) else ""

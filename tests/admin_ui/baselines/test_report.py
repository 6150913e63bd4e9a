"""The report for a ticket."""

from dataclasses import replace
from datetime import timedelta

from admin_ui.baselines.comparing import compare
from admin_ui.baselines.report import as_markdown, notes, summary
from tests.admin_ui.baselines.windows import HOURS, compared, sums

BEFORE = {
    "shop:product-list": sums(10, units=6_000, failed=6),
    "shop:search": sums(40, units=600),
    "rare": sums(5, units=12),
    "old": sums(5, units=30),
}
AFTER = {
    "shop:product-list": sums(10, units=6_600, failed=6, on_replicas=3_300),
    "shop:search": sums(90, units=660),
    "rare": sums(50, units=8),
    r"^new/(a|b)$": sums(5, units=30),
}

GOLDEN = r"""
# Baseline `before replicas` compared

**1 of 2 endpoints is worse by more than 25 %.**

|  | Baseline | Later |
|---|---|---|
| From | 2026-03-01 10:00 UTC | 2026-03-01 11:00 UTC |
| To | 2026-03-01 11:00 UTC | 2026-03-01 12:00 UTC |
| Units | 6 642 | 7 298 |
| Units a minute | 111 | 122 |
| Failed | 0.09 % | 0.08 % |
| Reads | 6 642 | 7 298 |
| Reads on replicas | 0 % | 45 % |

## What is worse

- `shop:search`: 50 % of its units took 42 ms at most, and then 96 ms: 2.3 times as long.
- `shop:search`: 95 % of its units took 44 ms at most, and then 102 ms: 2.3 times as long.

## Endpoints

| Endpoint | Verdict | Units a minute | p50 | p95 | p99 | Failed | On replicas |
|---|---|---|---|---|---|---|---|
| `shop:search` | **worse** | 10 → 11 | 42 ms → 96 ms (2.30 times) | 44 ms → 102 ms (2.30 times) | 45 ms → 102 ms (2.30 times), too few | 0 % → 0 % | 0 % → 0 % |
| `shop:product-list` | not worse | 100 → 110 | 10 ms → 10 ms (1.00 times) | 11 ms → 11 ms (1.00 times) | 11 ms → 11 ms (1.00 times) | 0.1 % → 0.09 % | 0 % → 50 % |
| `^new/(a\|b)$` | new | 0 → 0.5 | none → 5 ms | none → 6 ms | none → 6 ms | none → 0 % | none → 0 % |
| `old` | not used later | 0.5 → 0 | 5 ms → none | 6 ms → none | 6 ms → none | 0 % → none | 0 % → none |
| `rare` | too few units | 0.2 → 0.133 | 5 ms → 48 ms (9.19 times), too few | 6 ms → 51 ms (9.19 times), too few | 6 ms → 51 ms (9.19 times), too few | 0 % → 0 % | 0 % → 0 % |

## What this cannot tell

- Not used in the later window: `old`.
- Not in the baseline: `^new/(a|b)$`.
- Too few units to judge p99: 1,000 are needed in each window for p99. That concerns `shop:search`.
- Too few units to judge p50 and p95 and p99: 20 are needed in each window for p50. That concerns `rare`.

A percentile or the share of failures is worse when it grew by more than 25 %, and by more than chance explains (95 % intervals that do not meet). Durations are counted in steps of 15 %.
"""  # noqa: E501


def test_the_report_is_what_a_team_puts_into_a_ticket() -> None:
    found = as_markdown(compare("before replicas", BEFORE, AFTER, HOURS))
    assert found.replace("\N{NARROW NO-BREAK SPACE}", " ") == GOLDEN.lstrip()


def test_it_says_in_one_sentence_what_came_of_it() -> None:
    assert summary(compared(sums(10), sums(10))) == (
        "The one endpoint that can be compared is not worse by more than 25\u202f%."
    )
    assert summary(compared(sums(units=3), sums())) == (
        "Nothing can be said: no endpoint has enough units in both windows."
    )


def test_latencies_under_another_load_are_called_so() -> None:
    assert list(notes(compared(sums(units=2_000), sums(units=9_000)))) == [
        "The later window had 4.5 times as many units a minute, so that latencies under different load are compared."
    ]
    assert not list(notes(compared(sums(units=2_000), sums(units=3_900))))
    longer = replace(HOURS[1], until=HOURS[1].until + timedelta(hours=1))
    found = compare("before", {"names": sums()}, {"names": sums(units=4_000)}, (HOURS[0], longer))
    assert not list(notes(found))


def test_what_took_longer_than_counts_know_is_not_called_shorter() -> None:
    found = as_markdown(compared(sums(40_000), sums(50_000)))
    assert "34.6\u202fs or more → 34.6\u202fs or more" in found


def test_a_name_with_backticks_stays_code() -> None:
    assert "`` a`b ``" in as_markdown(compare("a`b", {}, {}, HOURS))

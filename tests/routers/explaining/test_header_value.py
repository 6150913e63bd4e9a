"""What the header for staff says, without a database."""

import re
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from routers.explaining.header import LONGEST, REST, header_value
from routers.recording import MOST_QUERIES, Recording
from routers.series import Series

TEXTS = st.text(min_size=1, max_size=30)


@given(counts=st.dictionaries(st.tuples(TEXTS, TEXTS, st.just("") | TEXTS), st.integers(1, 5), min_size=1, max_size=60))
def test_the_value_is_short_and_plain_and_accounts_for_every_query(counts: dict[tuple[str, str, str], int]) -> None:
    recording = Recording()
    for (alias, reason, model), count in counts.items():
        recording.totals[Series("read", "default", alias, "names", model, reason)] = count
    value = header_value(recording)
    assert len(value) <= LONGEST
    assert re.fullmatch("[ -~]+", value)
    outside_strings = re.sub(r'"(?:[^"\\]|\\.)*"', "", value)
    assert '"' not in outside_strings
    assert sum(map(int, re.findall(r";queries=(\d+)", outside_strings))) == sum(counts.values())


def test_what_does_not_fit_is_counted_together() -> None:
    recording = Recording()
    for number in range(MOST_QUERIES + 7):
        recording.note(Series("read", "default", "default", "names", f"shop.Model{number}", "no_rule"), "", 0.0)
    assert (len(recording.queries), recording.left_out) == (MOST_QUERIES, 7)
    assert re.search(rf", \{REST};queries=\d+$", header_value(recording))


def test_queries_that_end_in_other_threads_meanwhile_break_nothing() -> None:
    recording = Recording()
    other = Series("read", "default", "default", "names", "shop.Product", "no_rule")

    class Beside:
        """What a query was counted under, which is read just as another thread notes another query."""

        model, reason = "shop.Product", "routed"

        @property
        def alias(self) -> str:
            recording.note(other, "", 0.0)
            return "replica1"

    recording.totals[cast("Series", Beside())] = 1
    assert header_value(recording) == "replica1;reason=routed;model=shop.Product;queries=1"
    assert recording.totals[other] == 1

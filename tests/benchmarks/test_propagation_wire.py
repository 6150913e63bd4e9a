"""What the propagation benchmark reads from a server's log."""

from benchmarks.propagation.wire import LINE_PREFIX, Arrival, arrivals, worker_name

READ = 'SELECT "article"."id" FROM "article" WHERE "article"."id" = 1 LIMIT 21'


def line(at: str, who: str, what: str) -> str:
    return LINE_PREFIX.replace("%n", at).replace("%a", who) + f"LOG:  {what}\n"


def test_statements_on_the_table_are_found_with_their_time_and_process() -> None:
    found = arrivals(
        [
            line("1795598123.456", worker_name(41), f"statement: {READ}"),
            line("1795598123.789", worker_name(42), f"execute <unnamed>: {READ}"),
        ],
        "article",
    )
    assert list(found) == [Arrival(1795598123.456, 41), Arrival(1795598123.789, 42)]


def test_whatever_else_the_log_holds_is_left_out() -> None:
    found = arrivals(
        [
            line("1795598123.456", worker_name(41), 'statement: SELECT 1 FROM "articles"'),
            line("1795598123.456", "readshift-observer", f"statement: {READ}"),
            line("1795598123.456", worker_name(41), f"duration: 3.1 ms {READ}"),
            "\tcontinued over several lines\n",
            "\n",
        ],
        "article",
    )
    assert not list(found)

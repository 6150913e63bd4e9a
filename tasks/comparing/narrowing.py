"""How two answers that are too large to hold are looked at again where they differ. Pure."""

from tasks.comparing.answers import Answer, Selector, rows_in

MOST_ROWS = 1_000


def narrow(primary: Answer, replica: Answer, most_rows: int = MOST_ROWS) -> Selector | None:
    """Return what to read again on both sides, or None if nothing else is to be learned from that.

    The rows of a selector's answers are compared as those of small answers are: rows that agree in their first columns
    are looked at together. most_rows: about how many rows of each side that may be.

    Where the first column has few values, so that a bucket alone has too many rows, the answers are first read for
    buckets that more columns choose. What is returned for those answers may then be compared. It ends with None in any
    case.
    """
    if primary.rows is not None and replica.rows is not None:
        return None
    columns = primary.selector.columns
    sizes = {
        bucket: max(rows_in(one), rows_in(other))
        for bucket, (one, other) in enumerate(zip(primary.buckets, replica.buckets, strict=True))
        if one != other
    }
    if not sizes:
        return None
    chosen = _lightest(sizes, most_rows)
    if primary.selector.buckets is not None:
        # These rows were asked for and could not be held.
        chosen = chosen[: len(primary.selector.buckets) // 2]
    if chosen:
        return Selector(columns, frozenset(chosen), primary.selector.is_sample or len(chosen) < len(sizes))
    if columns < len(primary.columns) and primary.selector.buckets is None:
        return Selector(columns + 1)
    return None


def _lightest(sizes: dict[int, int], most_rows: int) -> list[int]:
    chosen, total = [], 0
    for bucket in sorted(sizes, key=lambda bucket: (sizes[bucket], bucket)):
        total += sizes[bucket]
        if total > most_rows:
            break
        chosen.append(bucket)
    return chosen

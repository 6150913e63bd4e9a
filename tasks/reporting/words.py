"""Numbers of reports as people read them, on pages and in terminals alike. Pure."""

NARROW_SPACE = "\N{NARROW NO-BREAK SPACE}"
WHOLE_FROM = 100
WHOLE_FROM_PERCENT = 10
TENTHS_FROM_PERCENT = 0.1
SECONDS_FROM_MS = 1000


def grouped(count: int) -> str:
    """Write a count with its thousands set apart: 12 345."""
    return f"{count:,}".replace(",", NARROW_SPACE)


def counted(count: int, noun: str) -> str:
    """Write a count with what it is of, in English: 1 unit, 12 345 units."""
    return f"{grouped(count)} {noun}" if count == 1 else f"{grouped(count)} {noun}s"


def figure(value: float) -> str:
    """Write a number that is no count, such as a rate, to three digits or in whole ones: 0.066, 4.12, 4 115."""
    return grouped(round(value)) if value >= WHOLE_FROM else f"{value:.3g}"


def bare_percent(share: float) -> str:
    """Write a share, 0 to 1, in percent without the sign, small ones to one digit that is not 0: 12, 2.5, 0.04."""
    percent = share * 100
    if percent >= WHOLE_FROM_PERCENT:
        return f"{percent:.0f}"
    if percent >= TENTHS_FROM_PERCENT:
        return f"{percent:.1f}"
    return f"{float(f'{percent:.1g}'):f}".rstrip("0").rstrip(".")


def percent(share: float) -> str:
    """Write a share, 0 to 1, in percent: 2.5 %."""
    return f"{bare_percent(share)}{NARROW_SPACE}%"


def milliseconds(value: float) -> str:
    """Write how long something took, in milliseconds or in seconds: 40 ms, 1.2 s."""
    if value >= SECONDS_FROM_MS:
        return f"{value / SECONDS_FROM_MS:.1f}{NARROW_SPACE}s"
    return f"{value:.0f}{NARROW_SPACE}ms" if value >= 1 or not value else f"less than 1{NARROW_SPACE}ms"

"""How far a measured share can be trusted. Pure."""

from dataclasses import dataclass
from math import sqrt

Z_95 = 1.959963984540054
"""Quantile of the standard normal distribution that leaves 2.5 % on either side."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Two shares, 0 to 1, that the true one most probably lies between."""

    low: float
    high: float


def wilson(part: int, whole: int, z: float = Z_95) -> Interval:
    """Return the score interval of a share, of 95 % by default.

    Unlike the textbook's interval (the share plus and minus so many standard errors), it holds for few observations and
    for shares near 0 and 1, and never leaves them. Of nothing, everything is possible.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the
    American Statistical Association 22 (1927), 209-212. Raises ValueError unless 0 <= part <= whole.
    """
    if not 0 <= part <= whole:
        raise ValueError(f"{part} of {whole} is no share. Give a part between 0 and the whole.")
    if not whole:
        return Interval(0.0, 1.0)
    share = part / whole
    scale = 1 + z * z / whole
    centre = (share + z * z / (2 * whole)) / scale
    reach = z / scale * sqrt(share * (1 - share) / whole + z * z / (4 * whole * whole))
    # At the ends the bound is the share itself, which rounding would miss by a hair.
    return Interval(
        low=max(0.0, min(centre - reach, share)) if part else 0.0,
        high=min(1.0, max(centre + reach, share)) if part < whole else 1.0,
    )


def highest_of_none(whole: int, doubt: float = 0.05) -> float:
    """Return the greatest share that is still compatible with finding none in `whole`: about 3 / whole for 5 % doubt.

    Source of the "rule of three": J. A. Hanley and A. Lippman-Hand, "If nothing goes wrong, is everything all right?",
    Journal of the American Medical Association 249 (1983), 1743-1745; this is the exact bound that it approximates.
    """
    return 1 - doubt ** (1 / whole) if whole else 1.0

"""Which pages are asked for, and in which order: the demo's traffic, dealt from a deck. Pure."""

from threading import Lock

from demo.visitors import DEFAULT_MIX, READ_MIX

REVIEW = "shop:product-review"
REPORT = "shop:report"

_CARDS = 2
"""For each unit of weight, so that the report, the lightest, has one."""

_REVIEWS_IN_DECK = 8
"""About one request in twenty writes, as in the demo."""


def deck(*, writes: bool) -> list[str]:
    """Return endpoints, each as often as it is asked for, and each spread over the deck as evenly as can be.

    So windows that hold some dozen requests have the same mix and can be compared. The order is that of the smooth
    weighted round robin with which nginx chooses servers.
    """
    weights = {**READ_MIX, REPORT: DEFAULT_MIX[REPORT]}
    cards = {endpoint: round(weight * _CARDS) for endpoint, weight in weights.items()}
    if writes:
        cards[REVIEW] = _REVIEWS_IN_DECK
    size, due, dealt = sum(cards.values()), dict.fromkeys(cards, 0), []
    for _ in range(size):
        for endpoint, count in cards.items():
            due[endpoint] += count
        chosen = max(due, key=due.__getitem__)
        due[chosen] -= size
        dealt.append(chosen)
    return dealt


class Dealer:
    """Deals one deck to many threads, again and again. part: where it begins, as a share of the deck."""

    def __init__(self, cards: list[str], part: float = 0.0) -> None:
        self._cards, self._at, self._lock = cards, round(len(cards) * part), Lock()

    def next(self) -> str:
        """Return what the next request is for."""
        with self._lock:
            self._at = (self._at + 1) % len(self._cards)
            return self._cards[self._at]

"""What a benchmark tells whoever waits for it."""

import sys
import time


def say(name: str, text: str) -> None:
    """Print a line with the time and the name of the system that it is about, apart from the result."""
    print(f"{time.strftime('%H:%M:%S')} {name}: {text}", file=sys.stderr, flush=True)  # noqa: T201 - its output

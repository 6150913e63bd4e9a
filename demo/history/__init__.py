"""A week that never was: what the tables would hold if the demo had been run and operated for that long.

Every event, plan and rule is made by the code that makes them in earnest, with the clock set back. Counts and compared
reads are drawn by chance, the same every time, and count back from now.
"""

from demo.history.week import write_history

__all__ = ["write_history"]

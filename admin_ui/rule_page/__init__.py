"""The page of one rule: what it did to errors, latency and lag, and what can be done about it."""

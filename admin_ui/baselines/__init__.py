"""Baselines: how endpoints did in one window of time, and how they do later."""

"""Fernhill, the sample shop: plain Django, with nothing in it that knows about replicas."""

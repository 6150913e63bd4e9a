"""Explaining: why a read goes where it goes, rung by rung of the ladder, with the values that each one went by."""

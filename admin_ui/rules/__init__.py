"""The admin of the rules, and what is wrong with a rule."""

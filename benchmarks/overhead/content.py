"""What is in the databases, whichever system reads it."""

ARTICLES = 500
SESSIONS = 64
REPLICA = "replica1"
"""The one whose reads are compared: a client is chosen whom Readshift leads to it."""

FLAG = "overhead"
PERCENT = 50
ENDPOINTS = ("page", "async-page", "empty", "async-empty")
RULES = (10, 1_000, 10_000)


def database(rules: int) -> str:
    """Return the name of the database with so many rules."""
    return f"overhead_{rules}"


def session_key(number: int) -> str:
    """Return the key of a session of the one user."""
    return f"overhead{number:024d}"

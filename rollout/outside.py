"""The options for programs and people outside: who may call or read, and who is told of events. Pure."""

from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from rollout.options import Problem
from rollout.signing import SHORTEST_SECRET

_MAKE_ONE = 'python -c "import secrets; print(secrets.token_hex(32))"'


def problems_of_secrets(option: str, secrets: object) -> Iterator[Problem]:
    """Find what is wrong with an option that is a list of secrets. No message holds one."""
    name = f'READSHIFT["{option}"]'
    if not isinstance(secrets, list | tuple) or not all(isinstance(secret, str) for secret in secrets):
        wanted = f"Write a list of texts, the newest first. Make one with {_MAKE_ONE}."
        yield Problem("readshift.E003", f"{name} is no list of texts, but a {type(secrets).__name__}.", wanted)
        return
    for number, secret in enumerate(secrets, start=1):
        if len(secret) < SHORTEST_SECRET:
            yield Problem(
                "readshift.E020",
                f"Secret {number} in {name} has {len(secret)} characters, which is short enough to be guessed.",
                f"Use {SHORTEST_SECRET} random characters or more. Make them with {_MAKE_ONE}.",
            )


def problems_of_address(option: str, address: object) -> Iterator[Problem]:
    """Find what is wrong with the address that is told of events. It may hold a password, so no message repeats it."""
    if address is None:
        return
    parts = _parts(address)
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        yield Problem(
            "readshift.E021",
            f'READSHIFT["{option}"] is no address that can be posted to.',
            'Write None or an address that begins with https:// or http://, such as "https://chat.example.com/hook".',
        )


def _parts(address: object) -> SplitResult | None:
    try:
        return urlsplit(address) if isinstance(address, str) else None
    except ValueError:
        return None

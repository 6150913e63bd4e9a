"""The options that may hold secrets: what is wrong with them is said without them."""

from typing import Any

import pytest

from rollout.options import Settings
from rollout.parsing import parse

LONG, OTHER = "hush" * 8, "psst" * 8


def test_secrets_keep_their_order_and_appear_in_no_representation() -> None:
    raw = {
        "WEBHOOK_SECRETS": [OTHER, LONG],
        "WEBHOOK_BEARER": True,
        "METRICS_TOKENS": [LONG],
        "NOTIFY_URL": "https://chat.example.com/hush",
        "NOTIFY_EMAILS": ["on-call@example.com"],
    }
    settings, problems = parse(raw, {})
    assert problems == ()
    assert settings == Settings(
        webhook_secrets=(OTHER, LONG),
        webhook_bearer=True,
        metrics_tokens=(LONG,),
        notify_url="https://chat.example.com/hush",
        notify_emails=frozenset({"on-call@example.com"}),
    )
    assert "hush" not in repr(settings)
    assert parse({"WEBHOOK_SECRETS": [], "NOTIFY_URL": None}, {}) == (Settings(), ())


@pytest.mark.parametrize(
    ("raw", "code", "words"),
    [
        ({"WEBHOOK_SECRETS": LONG}, "E003", "is no list of texts, but a str"),
        ({"WEBHOOK_SECRETS": {LONG}}, "E003", "but a set"),
        ({"WEBHOOK_SECRETS": [LONG, b"hush"]}, "E003", "is no list of texts"),
        ({"WEBHOOK_SECRETS": [LONG, LONG[:-1]]}, "E020", "Secret 2 in READSHIFT"),
        ({"WEBHOOK_SECRETS": [""]}, "E020", "has 0 characters"),
        ({"METRICS_TOKENS": LONG}, "E003", 'READSHIFT["METRICS_TOKENS"] is no list of texts, but a str'),
        ({"METRICS_TOKENS": [LONG[:-1]]}, "E020", 'Secret 1 in READSHIFT["METRICS_TOKENS"] has 31 characters'),
        ({"NOTIFY_URL": "chat.example.com/hush"}, "E021", "no address that can be posted to"),
        ({"NOTIFY_URL": "file:///etc/hush"}, "E021", "no address that can be posted to"),
        ({"NOTIFY_URL": "https:///hush"}, "E021", "no address that can be posted to"),
        ({"NOTIFY_URL": "https://[hush"}, "E021", "no address that can be posted to"),
        ({"NOTIFY_URL": b"https://hush"}, "E021", "no address that can be posted to"),
        ({"NOTIFY_URL": ""}, "E021", "no address that can be posted to"),
    ],
)
def test_what_is_wrong_is_said_without_the_secret(raw: dict[str, Any], code: str, words: str) -> None:
    settings, (problem,) = parse(raw, {})
    assert problem.code == f"readshift.{code}"
    assert words in problem.message
    assert "hush" not in problem.message + problem.hint
    assert settings == Settings(enabled=False)

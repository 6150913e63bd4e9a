"""Tokens: what two demand together, how they travel as text, and what is not ours."""

import string
import time
from collections.abc import Mapping
from dataclasses import replace

import pytest
from django.core import signing
from hypothesis import given
from hypothesis import strategies as st

from rollout.options import Settings
from rollout.settings import get_settings
from routers.positions import Floor, Position
from routers.tokens import FOREIGN, NOTHING, Token, decode, encode, lifetime_seconds, pinned

NOW = 1_000.0
UNTIL = st.floats(0, 2_000)
"""Before and after `NOW`."""

FLOORS = st.builds(Floor, st.integers(1, 2), st.integers(1, 3), st.integers(0, 9), st.integers(0, 9), UNTIL)
PRIMARIES = st.sampled_from(["default", "ledger"])
TOKENS = st.builds(
    # One floor for each history, as everything that makes tokens sees to.
    lambda floors, pins: Token({}, pins).merge(
        Token({name: tuple({(one.system, one.timeline): one for one in each}.values()) for name, each in floors})
    ),
    st.dictionaries(PRIMARIES, st.lists(FLOORS, min_size=1, max_size=3)).map(lambda found: list(found.items())),
    st.dictionaries(PRIMARIES, UNTIL),
)
Demands = tuple[Mapping[str, frozenset[Floor]], Mapping[str, float], bool]


def demands(token: Token) -> Demands:
    """Return what a token demands, without the order in which it says so."""
    return {name: frozenset(floors) for name, floors in token.floors.items()}, token.pins, token.is_foreign


def is_satisfied(token: Token, primary: str, server: Position, shown: int, now: float) -> bool:
    """Say whether a server that stands there, and shows everything until that time, may be read from at this time."""
    left = decode(encode(token), now)
    return not left.pins.get(primary) and all(
        floor.is_comparable(server) and floor.lsn <= server.lsn and floor.clock <= shown
        for floor in left.floors_of(primary)
    )


@given(TOKENS, TOKENS, TOKENS)
def test_the_order_in_which_tokens_are_merged_does_not_matter(one: Token, other: Token, third: Token) -> None:
    assert demands(one.merge(other)) == demands(other.merge(one))
    assert demands(one.merge(other).merge(third)) == demands(one.merge(other.merge(third)))
    assert demands(one.merge(one)) == demands(one)
    assert demands(one.merge(NOTHING)) == demands(one)


@given(
    one=TOKENS,
    other=TOKENS,
    primary=PRIMARIES,
    server=st.builds(Position, st.integers(1, 2), st.integers(1, 3), st.integers(0, 9)),
    shown=st.integers(0, 9),
)
def test_a_merged_token_demands_at_least_what_both_demand(
    one: Token, other: Token, primary: str, server: Position, shown: int
) -> None:
    if is_satisfied(one.merge(other), primary, server, shown, NOW):
        assert is_satisfied(one, primary, server, shown, NOW)
        assert is_satisfied(other, primary, server, shown, NOW)


def test_merging_with_a_foreign_token_gives_a_foreign_one() -> None:
    token = pinned(["default"], NOW)
    assert token.merge(FOREIGN).is_foreign
    assert FOREIGN.merge(token).is_foreign
    assert FOREIGN.followed_by(token).is_foreign


def test_who_is_given_a_foreign_token_reads_from_every_primary_until_it_would_have_expired() -> None:
    now = time.time()
    given = decode(encode(FOREIGN.merge(Token(pins={"ledger": now + 1_000}))), now)
    assert not given.is_foreign
    assert given.pins.keys() == {"default", "ledger"}
    assert given.pins["default"] >= now + lifetime_seconds(get_settings())


@given(before=TOKENS, later=TOKENS)
def test_what_follows_drops_promoted_histories_and_lowers_no_floor_of_its_own(before: Token, later: Token) -> None:
    followed = before.followed_by(later)
    for primary in ("default", "ledger"):
        found = {(floor.system, floor.timeline): floor for floor in followed.floors_of(primary)}
        for floor in later.floors_of(primary):
            mine = found[floor.system, floor.timeline]
            assert mine.merge(floor) == mine
        for floor in before.floors_of(primary):
            is_lost = any(floor.is_part_of(newer) for newer in later.floors_of(primary))
            kept = found.get((floor.system, floor.timeline))
            if kept is not None:
                assert kept.merge(floor) == kept or is_lost
            else:
                assert is_lost
        assert followed.pins.get(primary, 0) >= max(before.pins.get(primary, 0), later.pins.get(primary, 0))


def test_a_promotion_ends_what_was_demanded_before_it() -> None:
    before = Token({"default": (Floor(7, 1, lsn=90, until=1e9), Floor(8, 1, lsn=5, until=1e9))})
    later = Token({"default": (Floor(7, 2, lsn=10, until=1e9),)})
    assert set(before.followed_by(later).floors_of("default")) == {
        Floor(8, 1, lsn=5, until=1e9),
        Floor(7, 2, lsn=10, until=1e9),
    }


@given(
    server=st.builds(Position, st.integers(1, 2), st.integers(1, 3), st.integers(0, 2**64 - 1)),
    shown=st.integers(0, 2**60),
)
def test_two_histories_together_are_shown_by_no_server(server: Position, shown: int) -> None:
    token = Token({"default": (Floor(1, 1, until=NOW + 1),)}).merge(Token({"default": (Floor(1, 2, until=NOW + 1),)}))
    assert not is_satisfied(token, "default", server, shown, NOW)


@given(TOKENS)
def test_what_is_written_is_read_again_as_long_as_it_counts(token: Token) -> None:
    assert demands(decode(encode(token), -1.0)) == demands(token)
    assert decode(encode(token), 1e9) == NOTHING


@given(TOKENS)
def test_floors_and_pins_expire_one_by_one(token: Token) -> None:
    left = decode(encode(token), NOW)
    for primary in ("default", "ledger"):
        assert set(left.floors_of(primary)) == {floor for floor in token.floors_of(primary) if floor.until > NOW}
        assert (primary in left.pins) == (token.pins.get(primary, 0) > NOW)
    assert all(left.floors.values())


def test_a_token_outlives_every_replica_that_may_serve_without_showing_it() -> None:
    settings = Settings(greatest_lag_seconds=60, probe_seconds=20, policy_max_age_seconds=5)
    assert lifetime_seconds(settings) > 60 + settings.longest_silence_seconds
    assert lifetime_seconds(replace(settings, policy_max_age_seconds=500)) > 60 + 500


TEXT = encode(Token({"default": (Floor(7, 1, 10, 20, 2e9),)}, {"ledger": 2e9}))
CHARACTERS = st.sampled_from(string.ascii_letters + string.digits + "-_:. \u00e9\ud800\0")


def test_the_text_of_these_tests_is_ours() -> None:
    assert decode(TEXT, NOW).pins == {"ledger": 2e9}


@given(st.integers(0, len(TEXT) - 1), CHARACTERS)
def test_a_text_with_one_character_changed_is_foreign(at: int, character: str) -> None:
    if character != TEXT[at]:
        assert decode(TEXT[:at] + character + TEXT[at + 1 :], NOW) == FOREIGN


@given(st.integers(0, len(TEXT)), st.integers(0, len(TEXT)))
def test_a_text_of_which_something_is_missing_is_foreign(begin: int, end: int) -> None:
    if TEXT[begin:end] != TEXT:
        assert decode(TEXT[begin:end], NOW) == FOREIGN


@given(st.one_of(st.text(), st.binary(), st.none(), st.integers(), st.lists(st.text())))
def test_what_was_never_ours_is_foreign(forged: object) -> None:
    assert decode(forged, NOW) == FOREIGN


def test_a_text_that_another_key_or_another_part_of_the_project_signed_is_foreign() -> None:
    content: dict[str, object] = {"floors": {}, "pins": {}}
    for signer in (signing.Signer(key="another", salt="readshift.token"), signing.Signer(salt="host")):
        assert decode(signer.sign_object(content), NOW) == FOREIGN


def test_a_text_of_a_former_key_is_read_for_as_long_as_the_project_accepts_that_key(settings) -> None:
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "the next one"
    assert decode(TEXT, NOW).pins == {"ledger": 2e9}
    settings.SECRET_KEY_FALLBACKS = []
    assert decode(TEXT, NOW) == FOREIGN


SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3))
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
NEARLY = st.fixed_dictionaries(
    {
        "floors": st.dictionaries(PRIMARIES, st.lists(st.lists(SCALARS, min_size=4, max_size=6), max_size=2)),
        "pins": st.dictionaries(PRIMARIES, SCALARS),
    }
)


@given(st.one_of(ANYTHING, NEARLY))
def test_whatever_we_signed_is_read_without_an_error(content: object) -> None:
    decode(signing.Signer(salt="readshift.token").sign_object(content), NOW)


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        {},
        {"floors": {}},
        {"pins": {}},
        {"floors": [], "pins": {}},
        {"floors": {}, "pins": 7},
        {"floors": {}, "pins": {"default": "soon"}},
        {"floors": {"default": 7}, "pins": {}},
        {"floors": {"default": [7]}, "pins": {}},
        {"floors": {"default": [[7, 1, 10, 20]]}, "pins": {}},
        {"floors": {"default": [[7, 1, 10, 20, 2e9, 0]]}, "pins": {}},
        {"floors": {"default": [[7, 1, "x", 20, 2e9]]}, "pins": {}},
        {"floors": {"default": [[7, 1, None, 20, 2e9]]}, "pins": {}},
        {"floors": {"default": [[7, 1, float("inf"), 20, 2e9]]}, "pins": {}},
    ],
)
def test_what_we_signed_in_another_shape_is_foreign(content: object) -> None:
    assert decode(signing.Signer(salt="readshift.token").sign_object(content), NOW) == FOREIGN

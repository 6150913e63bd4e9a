"""Who tells the rounds of a cluster, with a real cache and clocks that a test moves."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.core.cache import cache, caches

from rollout.options import Cluster
from rollout.settings import get_settings
from routers.feed import Feed
from routers.health import Finding
from routers.hearing import Heard
from routers.positions import Position

ALIAS = "replica1"


class Clock:
    """Time as it passes for all, in seconds."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Member:
    """A process, as far as its feed is concerned. ahead: of the others, by its own clock, in seconds."""

    def __init__(self, clock: Clock, ahead: float = 0.0) -> None:
        self._clock = lambda: clock() + ahead
        self.feed = Feed(get_settings().clusters["default"], self._clock)
        self.findings: dict[str, Finding] = {}

    def turn(self, *doubts: str) -> Heard | None:
        """Ask, and take a turn."""
        own = {ALIAS: Finding(self._clock(), position=Position(7, 1, 1), is_standby=True)}
        heard = self.feed.turn(own, doubts)
        self.findings.update(heard.findings if heard else {})
        return heard

    @property
    def rests(self) -> bool:
        return self._clock() < self.feed.others_ask_until


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def _shared(shared_cache: str, settings) -> Iterator[None]:
    settings.READSHIFT = {**settings.READSHIFT, "PROBING": "shared"}
    yield
    caches.close_all()


def pass_time(clock: Clock, seconds: float, *members: Member) -> None:
    """Let each of these processes take its turns for so long."""
    for _ in range(round(seconds / 0.25)):
        clock.now += 0.25
        for member in members:
            member.turn()


def test_the_first_process_leads_and_the_second_is_told_what_it_finds(clock: Clock) -> None:
    first, second = Member(clock), Member(clock, ahead=500)
    pass_time(clock, 1, first, second)
    assert first.feed.is_leading
    assert not first.rests
    assert not second.feed.is_leading
    assert second.rests
    heard = second.findings[ALIAS]
    assert heard.at <= clock() + 500 <= heard.asked_by + 0.25
    assert heard.position == Position(7, 1, 1)


def test_when_the_leader_dies_another_one_leads_before_the_others_ask_for_themselves(clock: Clock) -> None:
    first, second, third = (Member(clock) for _ in range(3))
    pass_time(clock, 2, first, second, third)
    pass_time(clock, 1, second, third)
    assert second.rests
    pass_time(clock, 0.25, second, third)
    assert [member.feed.is_leading for member in (second, third)] == [True, False]
    died_at = third.findings[ALIAS].at
    for _ in range(2):
        assert third.rests
        pass_time(clock, 0.25, second, third)
    assert third.findings[ALIAS].at > died_at
    assert third.rests


def test_findings_last_until_the_next_leader_s_are_heard(clock: Clock) -> None:
    first, second, third = (Member(clock) for _ in range(3))
    pass_time(clock, 2, first, second, third)
    last = third.findings[ALIAS]
    while third.findings[ALIAS].at <= last.asked_by:
        pass_time(clock, 0.25, second, third)
        assert clock() - third.findings[ALIAS].at < get_settings().longest_trust_seconds - get_settings().probe_seconds


def test_a_leader_that_was_held_up_follows_its_successor(clock: Clock) -> None:
    first, second, third = (Member(clock) for _ in range(3))
    pass_time(clock, 1, first, second, third)
    pass_time(clock, 2, second, third)
    assert second.feed.is_leading
    pass_time(clock, 1, first, second, third)
    assert [member.feed.is_leading for member in (first, second, third)] == [False, True, False]
    assert first.rests
    assert third.rests


def test_one_that_was_elected_and_died_at_once_is_succeeded(clock: Clock, monkeypatch) -> None:
    first, second, third = (Member(clock) for _ in range(3))
    pass_time(clock, 1, first, second, third)
    with monkeypatch.context() as patched:
        patched.setattr(Feed, "_tell", lambda *_: None)
        pass_time(clock, 1.25, second)
    assert second.feed.is_leading
    pass_time(clock, 1.5, third)
    assert third.feed.is_leading


def test_a_cache_that_lost_everything_is_filled_again_by_the_same_leader(clock: Clock) -> None:
    first, second = Member(clock), Member(clock)
    pass_time(clock, 1, first, second)
    cache.clear()
    newcomer = Member(clock)
    pass_time(clock, 1, second, first, newcomer)
    assert [member.feed.is_leading for member in (first, second, newcomer)] == [True, False, False]
    assert second.rests
    assert newcomer.rests


def test_of_two_leaders_the_one_with_the_higher_number_prevails(clock: Clock) -> None:
    first, second, third, newcomer = (Member(clock) for _ in range(4))
    pass_time(clock, 1, first, second, third)
    pass_time(clock, 1.25, second, third)
    pass_time(clock, 1.5, third)
    assert third.feed.is_leading
    cache.clear()
    newcomer.turn()
    assert newcomer.feed.is_leading
    pass_time(clock, 1, third, newcomer)
    assert [member.feed.is_leading for member in (third, newcomer)] == [True, False]
    assert newcomer.rests


def test_what_takes_the_leader_too_long_is_told(clock: Clock) -> None:
    first, second = Member(clock), Member(clock)
    pass_time(clock, 1, first, second)
    first.turn(ALIAS)
    heard = second.turn()
    assert heard is not None
    assert heard.doubts == {ALIAS}
    assert second.turn() is None


def test_a_round_that_another_release_left_is_not_read(clock: Clock) -> None:
    first, second = Member(clock), Member(clock)
    pass_time(clock, 1, first, second)
    key = next(name for name in (f"{first.feed._prefix}:{number}" for number in range(3)) if cache.get(name))
    cache.set(key, {**cache.get(key), "version": 2})
    pass_time(clock, 1, second)
    assert second.turn() is None
    pass_time(clock, 0.5, second)
    assert not second.rests


def test_a_cluster_of_other_servers_has_a_leader_of_its_own(clock: Clock, settings) -> None:
    first = Member(clock)
    pass_time(clock, 1, first)
    settings.READSHIFT = {**settings.READSHIFT, "CLUSTERS": {"default": {"REPLICAS": [ALIAS]}}}
    other = Member(clock)
    pass_time(clock, 1, first, other)
    assert first.feed.is_leading
    assert other.feed.is_leading
    assert other.findings == {}


def test_a_cache_that_fails_leaves_each_process_to_itself(clock: Clock, settings, caplog) -> None:
    caplog.set_level("INFO", "readshift")
    shared = settings.CACHES
    first, second = Member(clock), Member(clock)
    pass_time(clock, 1, first, second)
    settings.CACHES = {"default": {**shared["default"], "LOCATION": "redis://127.0.0.1:1/0"}}
    pass_time(clock, 2, first, second)
    assert not first.feed.is_leading
    assert not first.rests
    assert not second.rests
    assert caplog.text.count("asks all servers") == 2
    settings.CACHES = shared
    pass_time(clock, 2, first, second)
    assert sorted((member.feed.is_leading, member.rests) for member in (first, second)) == [
        (False, True),
        (True, False),
    ]
    assert caplog.text.count("tells again") == 2


def test_a_process_of_its_own_cache_leads_itself(clock: Clock, settings) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    first, second = Member(clock), Member(clock)
    pass_time(clock, 1, first, second)
    assert first.feed.is_leading
    assert second.feed.is_leading


def test_a_cluster_is_known_by_its_servers_and_not_by_their_order() -> None:
    cluster = get_settings().clusters["default"]
    turned = Cluster(cluster.primary, cluster.replicas[::-1])
    assert Feed(cluster)._prefix == Feed(turned)._prefix
    assert Feed(cluster)._prefix != Feed(replace(cluster, replicas=cluster.replicas[:1]))._prefix

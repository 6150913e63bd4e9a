"""What the READSHIFT setting may say, and what is said about one that is wrong."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.options import Cluster, Replica, Settings
from rollout.parsing import parse

DATABASES: dict[str, Any] = {"default": {}, "replica1": {}, "replica2": {}, "ledger": {}, "ledger_replica": {}}


def clusters(**clusters: object) -> dict[str, Any]:
    return {"CLUSTERS": clusters}


def replicas(replicas: object) -> dict[str, Any]:
    return clusters(default={"REPLICAS": replicas})


def test_an_empty_setting_is_valid_and_names_no_cluster() -> None:
    assert parse({}, DATABASES) == (Settings(), ())


def test_replicas_may_be_a_plain_list() -> None:
    settings, problems = parse(replicas(["replica1", "replica2"]), DATABASES)
    assert problems == ()
    assert settings.clusters == {"default": Cluster("default", (Replica("replica1"), Replica("replica2")))}


def test_replicas_may_have_weights_and_pools() -> None:
    settings, problems = parse(replicas({"replica1": {"WEIGHT": 0}, "replica2": {"POOL": "reporting"}}), DATABASES)
    assert problems == ()
    assert settings.replicas == {
        "replica1": Replica("replica1", weight=0),
        "replica2": Replica("replica2", pool="reporting"),
    }
    assert settings.clusters["default"].pools == {"default", "reporting"}


def test_replicas_may_state_what_they_can_carry() -> None:
    settings, problems = parse(replicas({"replica1": {"CAPACITY": 1500.5}, "replica2": {}}), DATABASES)
    assert problems == ()
    assert settings.replicas == {"replica1": Replica("replica1", capacity=1500.5), "replica2": Replica("replica2")}


def test_a_model_belongs_to_the_cluster_that_claims_its_app_or_else_to_the_one_that_claims_none() -> None:
    both = clusters(default={"REPLICAS": ["replica1"]}, ledger={"REPLICAS": ["ledger_replica"], "APPS": ["ledger"]})
    settings, problems = parse(both, DATABASES)
    assert problems == ()
    assert settings.cluster_for_app("ledger") == settings.clusters["ledger"]
    assert settings.cluster_for_app("shop") == settings.clusters["default"]
    assert settings.cluster_of_alias("ledger_replica") == settings.clusters["ledger"]
    assert settings.cluster_of_alias("elsewhere") is None


def test_an_app_that_no_cluster_claims_belongs_to_none() -> None:
    settings, _ = parse(clusters(ledger={"REPLICAS": ["ledger_replica"], "APPS": ["ledger"]}), DATABASES)
    assert settings.cluster_for_app("shop") is None


def test_every_option_arrives() -> None:
    raw = {
        "ENABLED": False,
        "DENY": ["billing"],
        "ENDPOINTS": {"nightly-report"},
        "ACTOR": "shop.actors.account_of",
        "WAIT_SECONDS": 0,
        "FALLBACK_SHARE": 0.25,
        "FALLBACK_CONCURRENCY": 4,
        "RETRY_AFTER_SECONDS": 30,
        "SESSION_STATE": "shop.tenants.set_search_path",
        "CACHE": "shared",
        "TOKEN_HEADER": "X-Readshift-Token",
        "WRITING_FUNCTIONS": ["charge", "Billing.re$fund_2"],
        "PROBING": "shared",
        "POLICY_REFRESH": "inline",
        "POLICY_POLL_SECONDS": 3,
        "POLICY_RELOAD_SECONDS": 4,
        "POLICY_MAX_AGE_SECONDS": 5,
        "FLUSH_SECONDS": 6,
        "MAX_SERIES": 7,
        "RETENTION_DAYS": 8,
    }
    settings, problems = parse(raw, DATABASES)
    assert problems == ()
    assert settings == Settings(
        enabled=False,
        deny=frozenset({"billing"}),
        endpoints=frozenset({"nightly-report"}),
        actor="shop.actors.account_of",
        wait_seconds=0,
        fallback_share=0.25,
        fallback_concurrency=4,
        retry_after_seconds=30,
        session_state="shop.tenants.set_search_path",
        cache="shared",
        token_header="X-Readshift-Token",
        writing_functions=frozenset({"charge", "Billing.re$fund_2"}),
        probing="shared",
        policy_refresh="inline",
        policy_poll_seconds=3,
        policy_reload_seconds=4,
        policy_max_age_seconds=5,
        flush_seconds=6,
        max_series=7,
        retention_days=8,
    )


CLUSTER = 'READSHIFT["CLUSTERS"]["default"]'
WRONG: dict[str, tuple[object, str, list[str], str]] = {
    "no dictionary": ([], "E001", ["READSHIFT", "[]"], "CLUSTERS"),
    "none": (None, "E001", ["READSHIFT", "None"], "CLUSTERS"),
    "unknown option": ({"CLUSTER": {}}, "E002", ["'CLUSTER'"], "'CLUSTERS'"),
    "option in lower case": ({"deny": []}, "E002", ["'deny'"], "'DENY'"),
    "option unlike any": ({"X": 1}, "E002", ["'X'"], "ENABLED"),
    "option that is no name": ({7: 1}, "E002", ["7"], "ENABLED"),
    "unknown option of a cluster": (clusters(default={"REPLICA": []}), "E002", [CLUSTER, "'REPLICA'"], "'REPLICAS'"),
    "unknown option of a replica": (replicas({"replica1": {"WEIGH": 1}}), "E002", ["replica1", "'WEIGH'"], "'WEIGHT'"),
    "enabled as a number": ({"ENABLED": 1}, "E003", ["ENABLED", "1"], "True or False"),
    "explain header as a word": ({"EXPLAIN_HEADER": "staff"}, "E003", ["EXPLAIN_HEADER", "staff"], "True or False"),
    "actor as a function": ({"ACTOR": print}, "E003", ["ACTOR", "print"], "dotted path"),
    "unknown refresh": ({"POLICY_REFRESH": "never"}, "E003", ["POLICY_REFRESH", "'never'"], "inline"),
    "unknown probing": ({"PROBING": "everybody"}, "E003", ["PROBING", "'everybody'"], '"process" or "shared"'),
    "probing as a number": ({"PROBING": 1}, "E003", ["PROBING"], "shared"),
    "refresh as a list": ({"POLICY_REFRESH": ["inline"]}, "E003", ["POLICY_REFRESH"], "inline"),
    "no time": ({"FLUSH_SECONDS": 0}, "E003", ["FLUSH_SECONDS", "0"], "above 0"),
    "negative time": ({"FLUSH_SECONDS": -1.5}, "E003", ["FLUSH_SECONDS", "-1.5"], "above 0"),
    "no time where some is needed": ({"FLUSH_SECONDS": 0}, "E003", ["FLUSH_SECONDS", "0"], "above 0"),
    "negative wait": ({"WAIT_SECONDS": -1}, "E003", ["WAIT_SECONDS", "-1"], "0 or above"),
    "cache without a name": ({"CACHE": ""}, "E003", ["CACHE", "''"], "alias of CACHES"),
    "cache that is none": ({"CACHE": None}, "E003", ["CACHE", "None"], "alias of CACHES"),
    "share above one": ({"FALLBACK_SHARE": 1.1}, "E003", ["FALLBACK_SHARE", "1.1"], "from 0 to 1"),
    "share that is no number": ({"FALLBACK_SHARE": True}, "E003", ["FALLBACK_SHARE", "True"], "from 0 to 1"),
    "half a read": ({"FALLBACK_CONCURRENCY": 0.5}, "E003", ["FALLBACK_CONCURRENCY", "0.5"], "a whole number"),
    "function that is none": ({"SESSION_STATE": 3}, "E003", ["SESSION_STATE", "3"], "dotted path"),
    "header that is a number": ({"TOKEN_HEADER": 7}, "E003", ["TOKEN_HEADER", "7"], "name of a header"),
    "time as a text": ({"POLICY_POLL_SECONDS": "1"}, "E003", ["POLICY_POLL_SECONDS", "'1'"], "a number"),
    "time as a truth": ({"POLICY_POLL_SECONDS": True}, "E003", ["POLICY_POLL_SECONDS", "True"], "a number"),
    "endless time": ({"RETENTION_DAYS": float("inf")}, "E003", ["RETENTION_DAYS", "inf"], "a number"),
    "time that is no number": ({"RETENTION_DAYS": float("nan")}, "E003", ["RETENTION_DAYS", "nan"], "a number"),
    "half a series": ({"MAX_SERIES": 1.5}, "E003", ["MAX_SERIES", "1.5"], "whole number"),
    "no series": ({"MAX_SERIES": 0}, "E003", ["MAX_SERIES", "0"], "above 0"),
    "deny as a text": ({"DENY": "billing"}, "E003", ["DENY", "'billing'"], "billing.Invoice"),
    "deny as none": ({"DENY": None}, "E003", ["DENY", "None"], "a list"),
    "deny models": ({"DENY": [Settings]}, "E003", ["DENY", "Settings"], "a list of names"),
    "writing function with arguments": (
        {"WRITING_FUNCTIONS": ["refund", "billing.charge(int)"]},
        "E003",
        ["WRITING_FUNCTIONS", "'billing.charge(int)'"],
        "such as charge or billing.charge",
    ),
    "writing function with quotes": ({"WRITING_FUNCTIONS": ['"charge"']}, "E003", ["charge"], "without quotes"),
    "writing function without a name": ({"WRITING_FUNCTIONS": [""]}, "E003", ["WRITING_FUNCTIONS", "''"], "name"),
    "writing function of a server": ({"WRITING_FUNCTIONS": ["a.b.c"]}, "E003", ["'a.b.c'"], "billing.charge"),
    "endpoints as a number": ({"ENDPOINTS": 5}, "E003", ["ENDPOINTS", "5"], "nightly-report"),
    "clusters as a list": ({"CLUSTERS": ["default"]}, "E003", ["CLUSTERS"], "REPLICAS"),
    "cluster as a list": (clusters(default=["replica1"]), "E003", [CLUSTER], "REPLICAS"),
    "apps as a text": (clusters(default={"APPS": "ledger"}), "E003", ["APPS", "'ledger'"], "a list of app labels"),
    "apps as none": (clusters(default={"APPS": None}), "E003", ["APPS", "None"], "a list of app labels"),
    "replicas as a text": (replicas("replica1"), "E003", ["REPLICAS", "'replica1'"], "a list of aliases"),
    "replicas as dictionaries": (replicas([{"replica1": {}}]), "E003", ["REPLICAS"], "WEIGHT"),
    "replica twice in a list": (replicas(["replica1", "replica1"]), "E003", ["REPLICAS"], "each alias once"),
    "replica as a number": (replicas({"replica1": 2}), "E003", ["replica1", "2"], "WEIGHT"),
    "negative weight": (replicas({"replica1": {"WEIGHT": -1}}), "E003", ["WEIGHT", "-1"], "whole number"),
    "half a weight": (replicas({"replica1": {"WEIGHT": 0.5}}), "E003", ["WEIGHT", "0.5"], "whole number"),
    "weight as a truth": (replicas({"replica1": {"WEIGHT": True}}), "E003", ["WEIGHT", "True"], "whole number"),
    "no capacity": (replicas({"replica1": {"CAPACITY": 0}}), "E003", ["CAPACITY", "0"], "above 0"),
    "capacity as a text": (
        replicas({"replica1": {"CAPACITY": "900"}}),
        "E003",
        ["CAPACITY", "'900'"],
        "reads per second",
    ),
    "capacity as a truth": (
        replicas({"replica1": {"CAPACITY": True}}),
        "E003",
        ["CAPACITY", "True"],
        "None or a number",
    ),
    "endless capacity": (replicas({"replica1": {"CAPACITY": float("inf")}}), "E003", ["CAPACITY", "inf"], "a number"),
    "pool without a name": (replicas({"replica1": {"POOL": ""}}), "E003", ["POOL"], "reporting"),
    "pool as a number": (replicas({"replica1": {"POOL": 2}}), "E003", ["POOL", "2"], "reporting"),
    "unknown primary": (clusters(main={}), "E004", ["'main'", "DATABASES"], "default, ledger"),
    "unknown replica": (replicas(["replica9"]), "E004", ["'replica9'", "DATABASES"], "replica1, replica2"),
    "primary as its own replica": (replicas(["default"]), "E005", ["'default'", "itself the primary"], "alias of its"),
    "primary of another as a replica": (
        clusters(default={"REPLICAS": ["ledger"]}, ledger={"APPS": ["ledger"]}),
        "E005",
        ["'ledger'", "itself the primary"],
        "alias of its own",
    ),
    "replica of two": (
        clusters(default={"REPLICAS": ["replica1"]}, ledger={"REPLICAS": ["replica1"], "APPS": ["ledger"]}),
        "E005",
        ["'replica1'", "twice", "'default'", "'ledger'"],
        "one primary",
    ),
    "two for every app": (clusters(default={}, ledger={}), "E006", ["default, ledger", "every app"], "APPS"),
    "app of two": (
        clusters(default={"APPS": ["ledger"]}, ledger={"APPS": ["ledger"]}),
        "E006",
        ["'ledger'", "two clusters"],
        "holds its tables",
    ),
}


@pytest.mark.parametrize(("raw", "code", "nouns", "hint"), WRONG.values(), ids=WRONG.keys())
def test_a_mistake_is_named_with_its_remedy_and_routes_nothing(
    raw: object, code: str, nouns: list[str], hint: str
) -> None:
    settings, (problem,) = parse(raw, DATABASES)
    assert problem.code == f"readshift.{code}"
    assert all(noun in problem.message for noun in nouns)
    assert hint in problem.hint
    assert settings == Settings(enabled=False)


def test_all_mistakes_are_named_at_once() -> None:
    raw = {"ENABLED": "yes", "DENY": "billing", "Y": 1, **replicas(["replica9", "default"])}
    _, problems = parse(raw, DATABASES)
    codes = sorted(problem.code[-4:] for problem in problems)
    assert codes == ["E002", "E003", "E003", "E004", "E005"]


NAMES = st.sampled_from([*DATABASES, "nowhere", "CLUSTERS", "REPLICAS", "APPS", "WEIGHT", "POOL", "inline", ""])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | NAMES | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.frozensets(NAMES)
        | st.dictionaries(st.sampled_from(["REPLICAS", "APPS", "WEIGHT", "POOL", *DATABASES]), inner, max_size=3)
    ),
    max_leaves=8,
)
OPTIONS = st.sampled_from(
    ["CLUSTERS", "DENY", "ENDPOINTS", "ENABLED", "ACTOR", "POLICY_REFRESH", "MAX_SERIES", "PROBING"]
)


@given(
    st.dictionaries(OPTIONS, ANYTHING, max_size=4)
    | ANYTHING
    | ANYTHING.map(replicas)
    | ANYTHING.map(lambda options: clusters(default=options))
)
def test_no_setting_whatever_makes_parsing_fail(raw: object) -> None:
    settings, problems = parse(raw, DATABASES)
    if problems:
        assert settings == Settings(enabled=False)
        assert all(problem.code and problem.message and problem.hint for problem in problems)
    else:
        assert set(settings.replicas) <= set(DATABASES)

"""Which rules a name means, and what is said of one that means none."""

from rollout.models import RoutingRule
from rollout.naming import full_name, rules_named

LIST = RoutingRule(target_kind="endpoint", target="shop:product-list")
DETAIL = RoutingRule(target_kind="endpoint", target="shop:product-detail")
MODEL = RoutingRule(target_kind="model", target="shop.Product")
TWICE = [RoutingRule(target_kind=kind, target="shop.Review") for kind in ("endpoint", "model")]
RULES = [LIST, DETAIL, MODEL, *TWICE]


def test_rules_are_found_by_full_name_or_target_each_once() -> None:
    names = ["model:shop.Product", "shop:product-list", "endpoint:shop:product-list"]
    assert rules_named(names, RULES) == rules_named(names[:2], RULES)
    assert rules_named(names, RULES).rules == (MODEL, LIST)
    assert rules_named(names, RULES).problems == ()


def test_every_rule_is_found_by_its_full_name() -> None:
    odd = RoutingRule(target_kind="endpoint", target="endpoint:shop:product-list")
    rules = [*RULES, odd]
    assert rules_named(map(full_name, rules), rules).rules == tuple(rules)


def test_a_target_of_two_rules_asks_for_the_full_name() -> None:
    named = rules_named(["shop.Review", "shop.Product"], RULES)
    assert named.rules == (MODEL,)
    assert named.problems == (
        "“shop.Review” is the target of several rules. Write endpoint:shop.Review or model:shop.Review.",
    )


def test_an_unknown_name_is_answered_with_near_ones() -> None:
    (problem,) = rules_named(["shop:product_list"], RULES).problems
    assert problem == (
        "There is no rule “shop:product_list”. Did you mean endpoint:shop:product-detail or endpoint:shop:product-list?"
    )


def test_a_name_with_nothing_near_is_answered_with_all() -> None:
    assert "The rules are endpoint:shop.Review, endpoint:shop:product-detail," in rules_named(["x"], RULES).problems[0]
    many = [RoutingRule(target_kind="endpoint", target=f"page-{number:02}") for number in range(12)]
    assert rules_named(["x"], many).problems[0].endswith("endpoint:page-09 and 2 more.")
    assert rules_named(["x"], []).problems == ("There is no rule “x”. The rules are none: no rule was made yet.",)

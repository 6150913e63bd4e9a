"""What each permission allows."""

import pytest

from admin_ui.permissions import OPERATE, ROLL_BACK, VIEW_DASHBOARD, VIEW_RULES, Powers


class User:
    """Somebody with one permission."""

    def __init__(self, permission: str) -> None:
        self._permission = permission

    def has_perm(self, perm: str, /) -> bool:
        return perm == self._permission


@pytest.mark.parametrize(
    ("permission", "powers"),
    [
        ("", Powers(may_see=False, may_see_rules=False, may_lower=False, may_raise=False)),
        (VIEW_DASHBOARD, Powers(may_see=True, may_see_rules=False, may_lower=False, may_raise=False)),
        (VIEW_RULES, Powers(may_see=True, may_see_rules=True, may_lower=False, may_raise=False)),
        (ROLL_BACK, Powers(may_see=True, may_see_rules=True, may_lower=True, may_raise=False)),
        (OPERATE, Powers(may_see=True, may_see_rules=True, may_lower=True, may_raise=True)),
    ],
)
def test_a_permission_includes_the_smaller_ones(permission: str, powers: Powers) -> None:
    assert Powers.of(User(permission)) == powers

"""Who acts in the unit that runs: what events say of changes that come from requests, tasks and commands."""

from rollout.acting import Acting
from rollout.models.event import Door
from routers.current import current_unit
from routers.subjects import RequestParty
from routers.unit import UnitKind

_DOORS = {UnitKind.REQUEST: Door.REQUEST, UnitKind.TASK: Door.TASK, UnitKind.COMMAND: Door.COMMAND}


def whoever_runs() -> Acting:
    """Return who acts: a request's user, or the name of a task or command."""
    unit = current_unit()
    if unit is None:
        return Acting()
    party, door = unit.party, _DOORS.get(unit.kind, Door.CODE)
    if isinstance(party, RequestParty) and unit.kind is UnitKind.REQUEST:
        return Acting(door, lambda: _name(party))
    endpoint = unit.endpoint
    return Acting(door, lambda: endpoint)


def _name(party: RequestParty) -> str:
    user = party.user
    return user.get_username() if user is not None and user.is_authenticated else ""

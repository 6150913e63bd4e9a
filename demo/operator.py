"""An operator who presses the buttons of the dashboard over HTTP, as a browser without JavaScript does."""

import re

import requests

from demo.processes import ProcessError

DASHBOARD = "/admin/readshift_admin/dashboard/"
TIMEOUT_SECONDS = 20


class Operator:
    """Signed in to the Django admin at `base_url`."""

    def __init__(self, base_url: str, username: str, password: str) -> None:
        self._base_url = base_url
        self._http = requests.Session()
        self._http.trust_env = False
        self._http.headers["Referer"] = f"{base_url}/admin/"
        self._get("/admin/login/")
        page = self._post("/admin/login/", {"username": username, "password": password, "next": DASHBOARD})
        if 'name="password"' in page:
            raise ProcessError(f"The admin refused {username!r}.")

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def add_rule(self, endpoint: str, flag: str, mode: str = "route") -> None:
        """Add a rule for an endpoint, with a new flag that is still closed. mode: `route`, `observe` or `pin`."""
        fields = {
            "target_kind": "endpoint",
            "target": endpoint,
            "mode": mode,
            "gate_kind": "flag",
            "gate_name": flag,
            "create_flag": "on",
            "pool": "default",
            "contract": "session",
            "over_budget": "primary",
            "shadow_percent": "0",
            "shadow_per_second": "20",
        }
        page = self._post("/admin/readshift/routingrule/add/", fields)
        if "errornote" in page:
            raise ProcessError(f"The admin refused a rule for {endpoint!r}.")

    def set_mode(self, endpoint: str, mode: str) -> None:
        """Set the mode of an endpoint's rule, and confirm it."""
        self._post(f"{DASHBOARD}rules/{self._rule(endpoint)}/mode/", {"mode": mode, "confirm": "1"})

    def set_share(self, endpoint: str, percent: float) -> None:
        """Set the percentage of the gate of an endpoint's rule, and confirm it."""
        self._post(f"{DASHBOARD}rules/{self._rule(endpoint)}/share/", {"percent": f"{percent:g}", "confirm": "1"})

    def set_kill_switch(self, state: str) -> None:
        """Turn the kill switch "on" or "off", and confirm it."""
        self._post(f"{DASHBOARD}kill-switch/", {"state": state, "confirm": "1"})

    def _rule(self, endpoint: str) -> str:
        """Return the number of an endpoint's rule, as the buttons of the dashboard have it."""
        found = re.search(rf"{re.escape(endpoint)}<.*?rules/(\d+)/share/", self._get(DASHBOARD), re.DOTALL)
        if found is None:
            raise ProcessError(f"The dashboard shows no percentage for {endpoint!r}.")
        return found[1]

    def _get(self, path: str) -> str:
        return self._text(self._http.get(self._base_url + path, timeout=TIMEOUT_SECONDS))

    def _post(self, path: str, fields: dict[str, str]) -> str:
        token = self._http.cookies.get("csrftoken", "")
        answer = self._http.post(
            self._base_url + path, data={**fields, "csrfmiddlewaretoken": token}, timeout=TIMEOUT_SECONDS
        )
        return self._text(answer)

    @staticmethod
    def _text(answer: requests.Response) -> str:
        answer.raise_for_status()
        return answer.text

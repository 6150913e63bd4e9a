"""What decisions rest on besides their own unit: the policy, the settings, and what is known of the servers."""

from django.core.signals import setting_changed


class Footing:
    """That of one process. mark: another object after each change, so that what was decided before is known by it."""

    def __init__(self) -> None:
        self.mark = object()

    def change(self) -> None:
        """Have every decision taken anew. Called when the change can be seen by whoever decides."""
        self.mark = object()


footing = Footing()
"""What the decisions of this process rest on."""


def _on_setting_changed(**_: object) -> None:
    footing.change()


setting_changed.connect(_on_setting_changed, dispatch_uid="readshift.footing")

"""What of the record somebody wants to see, as they write it into the form or an address."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Self
from urllib.parse import urlencode

from django import forms

from rollout import looks
from rollout.models import Door, EventKind, GateKind

SUBJECT_KINDS = ("rule", "plan", *(kind.value for kind in GateKind if kind.value), "replica", looks.SUBJECT_KIND)
"""What events call the rows that they tell of, those of `rollout.journal` and `rollout.looks`."""


class FilterForm(forms.Form):
    """The filter as a form. Times without a zone are in the active time zone."""

    subject_kind = forms.ChoiceField(
        label="Kind of subject", required=False, choices=[("", "any"), *((kind, kind) for kind in SUBJECT_KINDS)]
    )
    subject = forms.CharField(label="Subject, or a part of it", required=False, max_length=254)
    who = forms.CharField(label="Who, or a part of it", required=False, max_length=254)
    door = forms.ChoiceField(label="Through", required=False, choices=[("", "any"), *Door.choices])
    kind = forms.ChoiceField(label="What happened", required=False, choices=[("", "anything"), *EventKind.choices])
    since = forms.DateTimeField(
        label="From",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "step": 1}, format="%Y-%m-%dT%H:%M:%S"),
    )
    until = forms.DateTimeField(
        label="To, this moment included",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "step": 1}, format="%Y-%m-%dT%H:%M:%S"),
    )

    def __init__(self, data: Any) -> None:
        super().__init__(data, auto_id="rs-filter-%s")


@dataclass(frozen=True, slots=True)
class Filter:
    """What events to take. Empty fields leave all in.

    subject, who: the whole of it, or a part in any case, if no whole one is like that. since, until: both included.
    """

    subject_kind: str = ""
    subject: str = ""
    who: str = ""
    door: str = ""
    kind: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @classmethod
    def of(cls, form: FilterForm) -> Self:
        """Return what a valid form asks for."""
        return cls(**{each.name: form.cleaned_data[each.name] for each in fields(cls)})


def query_string(form: FilterForm, **more: str) -> str:
    """Return what the form asks for as the query of an address, with what else the address needs."""
    asked = {name: form.data.get(name, "") for name in form.fields}
    return urlencode({name: value for name, value in {**asked, **more}.items() if value})

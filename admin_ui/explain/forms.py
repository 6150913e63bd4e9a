"""The form that asks why a read goes where it goes."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from admin_ui.explain.inquiry import METHODS, Inquiry, model_labels, supposed_read
from admin_ui.rules.forms import SuggestingInput
from routers.endpoints import known_endpoints
from routers.explaining.supposing import SupposedRead
from routers.tokens import NOTHING, Token

_TEXTS = ("endpoint", "model", "user", "actor")


class ExplainForm(forms.Form):
    """What to explain. read: the read that is meant, once the form is valid."""

    read: SupposedRead | None = None

    endpoint = forms.CharField(
        widget=SuggestingInput(known_endpoints),
        help_text="A view's name such as shop:product-list, a task, a command, or a path such as /products/.",
    )
    model = forms.CharField(
        required=False, widget=SuggestingInput(model_labels), help_text="The model that is read, such as shop.Product."
    )
    user = forms.CharField(required=False, label="User", help_text="The name of the user whom gates are asked for.")
    actor = forms.CharField(required=False, help_text="The key that percentages go by: 32 hexadecimal digits.")
    method = forms.ChoiceField(choices=[(name, name) for name in METHODS], initial="GET")

    def __init__(
        self,
        data: Any,
        *,
        using: str,
        may_find_users: bool,
        own_actor: str | None = None,
        own_token: Token = NOTHING,
    ) -> None:
        """using: the alias of the database with the counts. own_actor, own_token: those of whoever asks."""
        super().__init__(data, auto_id="rs-explain-%s")
        self._using = using
        self._own_actor = own_actor
        self._own_token = own_token
        if not may_find_users:
            del self.fields["user"]

    def clean(self) -> dict[str, Any]:
        super().clean()
        if self.errors:
            return self.cleaned_data
        texts = {name: self.cleaned_data.get(name, "").strip() for name in _TEXTS}
        token = self._own_token if texts["actor"] and texts["actor"] == self._own_actor else NOTHING
        try:
            self.read = supposed_read(Inquiry(**texts, method=self.cleaned_data["method"], token=token), self._using)
        except ValidationError as error:
            self.add_error(None, error)
        return self.cleaned_data

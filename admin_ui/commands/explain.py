"""`manage.py readshift explain`: where a read goes, and why, rung by rung."""

import time
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser

from admin_ui.commands.frame import Terminal, refusal
from admin_ui.explain.inquiry import METHODS, Inquiry, supposed_read
from admin_ui.explain.words import HOW_SEEN, as_json, asides, summary, verdict
from routers.control import control_alias
from routers.explaining.rungs import Explanation, Rung
from routers.explaining.supposing import DecidingError, SupposedRead, explain_read
from routers.tokens import NOTHING, decode

EXPLAINED = 0
FAILED = 1
UNKNOWN = 3

_MARK = "=> "
_NO_MARK = "   "


class Explain:
    """Explains where a read would go."""

    name = "explain"
    help = (
        "Say where a read of an endpoint would go, and what every rung of the ladder says about it, by the stored "
        "rules and by how the replicas stand now. Exits with 0 if it is explained, wherever the read goes, 1 if "
        "deciding about it fails, and 3 if there is no such endpoint, model, user or actor."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        where = parser.add_mutually_exclusive_group(required=True)
        where.add_argument("--endpoint", help="a view's name such as shop:product-list, a task or a command")
        where.add_argument("--path", help="a path such as /products/, instead of the name of its view")
        parser.add_argument("--model", default="", help="the model that is read, such as shop.Product")
        parser.add_argument("--user", default="", help="the name of the user whom gates are asked for")
        parser.add_argument(
            "--actor",
            default="",
            metavar="KEY",
            help="the key that percentages go by, as the panel of the debug toolbar shows it; or own: and what your "
            "actor function returns",
        )
        parser.add_argument("--method", default="GET", type=str.upper, choices=METHODS, help="default: %(default)s")
        parser.add_argument("--language", default="", help="the reader's language, such as de")
        parser.add_argument("--token", help="the value of the reader's cookie readshift_token")
        parser.add_argument("--json", action="store_true", help="write one JSON object")

    def run(self, terminal: Terminal, options: dict[str, Any]) -> int:
        token = NOTHING if options["token"] is None else decode(options["token"], time.time())
        inquiry = Inquiry(
            endpoint=_path(options["path"]) if options["path"] is not None else options["endpoint"],
            model=options["model"],
            user=options["user"],
            actor=options["actor"],
            method=options["method"],
            language=options["language"],
            token=token,
        )
        using = control_alias()
        try:
            read = supposed_read(inquiry, using)
        except ValidationError as error:
            raise refusal(" ".join(error.messages), UNKNOWN) from None
        try:
            explanation = explain_read(read, using)
        except DecidingError as error:
            raise refusal(str(error), FAILED) from error
        if options["json"]:
            terminal.say_json(as_json(read, explanation))
        else:
            _tell(terminal, read, explanation)
        return EXPLAINED


def _path(path: str) -> str:
    return path if path.startswith("/") else f"/{path}"


def _tell(terminal: Terminal, read: SupposedRead, explanation: Explanation) -> None:
    terminal.say_table(
        [
            ("endpoint", read.endpoint),
            ("model", read.model._meta.label if read.model is not None else "not named"),
            ("method", read.method),
            ("user", "" if read.user is None else read.user.get_username()),
            ("actor", read.actor or "not given"),
            ("goes to", explanation.decision.alias),
            ("reason", explanation.decision.reason.value),
        ]
    )
    terminal.say("")
    terminal.say(summary(explanation))
    for line in (*asides(explanation), HOW_SEEN):
        terminal.say(line)
    terminal.say("")
    for rung in explanation.rungs:
        _tell_rung(terminal, rung)


def _tell_rung(terminal: Terminal, rung: Rung) -> None:
    terminal.say(f"{_MARK if rung.decides else _NO_MARK}{rung.step.value}: {verdict(rung)}")
    if rung.is_asked:
        for fact in rung.facts:
            terminal.say(f"       {fact}")

"""Tells people and programs of notable events, after the commit, in threads that no change waits for."""

import atexit
import json
import os
import time
import urllib.request
from functools import partial
from typing import Any

from django.core.mail import EmailMessage
from django.db import transaction

from rollout.journal import event_recorded
from rollout.models.event import Event
from rollout.notable import Notice, is_notable
from rollout.outbox import Outbox
from rollout.settings import get_settings
from rollout.signing import HEADER, sign

_TIMEOUT_SECONDS = 3.0
_STOP_SECONDS = 5.0
"""How long a process waits at its end. Commands are over right after the change that they tell of."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A signed notice goes where the setting says, and nowhere else."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirects)


def mail(notice: Notice) -> None:
    """Send it through Django's mail, from `DEFAULT_FROM_EMAIL`. Raises what the mail backend raises."""
    EmailMessage(notice.title, notice.text, to=sorted(get_settings().notify_emails)).send()


def post(notice: Notice) -> None:
    """Post it as JSON, signed as calls of the webhook are if there is a secret. Raises OSError if it is not taken."""
    settings = get_settings()
    body = json.dumps({"title": notice.title, "text": notice.text, "event": notice.content}).encode()
    headers = {"Content-Type": "application/json", "User-Agent": "django-readshift"}
    if settings.webhook_secrets:
        headers[HEADER] = sign(body, settings.webhook_secrets[0], time.time())
    # The system checks see to it that the address is one of http or https.
    request = urllib.request.Request(settings.notify_url or "", body, headers, method="POST")  # noqa: S310
    _opener.open(request, timeout=_TIMEOUT_SECONDS).close()


# One each: a mail server that hangs must not keep a notice from the other way out.
mails = Outbox("mail", mail)
posts = Outbox("notifier", post)


def _tell(event: Event, **_: Any) -> None:
    settings = get_settings()
    wanted = [outbox for outbox, to in ((posts, settings.notify_url), (mails, settings.notify_emails)) if to]
    if not wanted or not is_notable(event):
        return
    notice = Notice.of(event)
    for outbox in wanted:
        transaction.on_commit(partial(outbox.put, notice), using=event._state.db, robust=True)


def flush() -> None:
    """Wait a few seconds at most until everything is sent."""
    until = time.monotonic() + _STOP_SECONDS
    for outbox in (posts, mails):
        outbox.flush(until)


def connect() -> None:
    """Listen to the record of events. Called once, when the apps are ready."""
    event_recorded.connect(_tell, dispatch_uid="readshift.notices")
    for outbox in (posts, mails):
        os.register_at_fork(after_in_child=outbox.after_fork)
    atexit.register(flush)

"""A client that writes all the time, as there is one in production."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from demo.cluster import Server

_PAUSE_SECONDS = 0.1


@contextmanager
def writing(primary: Server) -> Iterator[None]:
    """Have a commit on this primary every moment as long as this block.

    An idle one may say that it stands where nothing is sent from: what a checkpoint begins with is not flushed before
    something else is.
    """
    stopped = Event()

    def write() -> None:
        with primary.connect() as connection:
            while not stopped.wait(_PAUSE_SECONDS):
                connection.execute("UPDATE account SET balance = balance + 1 WHERE id = 1")

    writer = Thread(target=write, daemon=True)
    writer.start()
    try:
        yield
    finally:
        stopped.set()
        writer.join()

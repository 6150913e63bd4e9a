"""Helpers of the tests of this folder."""

import subprocess
import sys
from pathlib import Path

from demo.cluster import Server, folders
from demo.cluster.processes import living

OWNER = """
import os, sys, time
from pathlib import Path
from demo.cluster import Cluster

cluster = Cluster(Path(sys.argv[1]), replicas=0).start()
if sys.argv[2] == "forks and forgets":
    child = os.fork()
    if child == 0:
        cluster.stop()
        sys.exit()
    os.waitpid(child, 0)
    assert cluster.primary.query("SELECT 1") == [(1,)]
print(cluster.primary.pid, flush=True)
if sys.argv[2] == "is killed":
    time.sleep(60)
"""


def write(primary: Server, text: str) -> None:
    primary.query("INSERT INTO note VALUES (%s)", [text])


def notes(server: Server) -> list[str]:
    return [text for (text,) in server.query("SELECT text FROM note ORDER BY text")]


def is_alive(pid: int) -> bool:
    return any(process.pid == pid for process in living())


def start_owner(root: Path, behaviour: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", OWNER, str(root), behaviour]
    return subprocess.Popen(  # noqa: S603 - this interpreter, with a script from above
        command, cwd=folders.CHECKOUT, stdout=subprocess.PIPE, text=True
    )

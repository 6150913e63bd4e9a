"""How long a change takes until the last process acts on it, by what the database servers receive.

    python -m benchmarks.propagation --json [--changes N] [--phase NAME ...]

A small project (`app/`), whose page reads three articles, runs in two services of eight web worker processes each, in
front of one primary and one replica. One of the services is loaded before its server forks, and reads while it is
loaded, so that its first process holds a policy of its own. Clients read a page from each worker five times a second,
each on a connection of its own to one worker. A rule sends the page to the replica under a flag, which an operator's
process switches between everybody and nobody through the ORM, 200 times, with pauses of 0.1 to 0.6 seconds; each time
it waits until every process has acknowledged, and until the pages of every worker come from the other server.

This is done twice, each time with new web servers: with the services connected to the primary directly, so that they
hear of changes (`listener`), and through PgBouncer in transaction mode, where they do not listen and find changes
by polling every second (`without_listener`). Everything else has its default value.

What is measured

- `processes`: the worker processes. Besides them the first process of the preloaded service holds a policy, and is
  waited for.
- `p50_ms`, `p99_ms`, `max_ms`: of the changes that close the flag, which are half of them, from the commit until the
  last statement on the table that any worker sent to the replica arrived there. The commit is dated by the primary's
  own record of it (`pg_xact_commit_timestamp`), arrivals by the replica's log, whose times are whole milliseconds; both
  servers run on one machine. A worker whose last page was served before it had to act has not been late: so these times
  depend on the load, and are too small by up to the time between two pages of the slowest worker. What follows is not.
- `acknowledged`: of all changes, from the commit until the last worker's acknowledgement, by the primary's clock. A
  process acknowledges after the fact, when no read that it decided before is on its way any more; so this bounds from
  above how long it took.
- `stale_reads_after_ack`: statements on the table that arrived at the replica after the process that sent them had
  acknowledged a change that closed the flag, and before it was opened again: in a later millisecond.
- `replica_reads`: statements on the table that the replica received from the workers.
- `unacknowledged`: changes that one of the workers did not acknowledge.

What is not measured

- The opening of the flag by reads: once it is open, a read is let go to the replica only when that is known to show all
  that the primary showed until the change had reached every process, which takes a second by design.
- Networks: everything runs on one machine, and how much of its processors' time was idle is told for each phase. 17
  processes that read a policy at the same time share its processors.

The exit status is 1 when a bound is missed: a `p99_ms` above 250, or without the listener above the poll interval plus
250; a stale read after an acknowledgement; a change that a worker did not acknowledge within 30 seconds. It is 2 when
the run itself failed.
"""

"""Whether concurrent clients ever see their session guarantees broken while replication is disturbed.

    python -m benchmarks.consistency --json [--seconds N] [--seed N] [--only SYSTEM]

Three systems route the reads of the same small project (`app/`), one after the other in one run, each on a new cluster
of its own with the same clients and the same schedule of disturbances: Readshift, django-multidb-router and
django_replicated, each installed as it documents itself, with its default settings. The project runs in two real web
worker processes and two Celery worker processes; primary and standbys are real.

What is measured

- Violations of read-your-writes, monotonic reads, monotonic writes and writes-follow-reads for each actor, from what
  the clients were answered and nothing else. `checker.py` defines them.
- A third of the clients is signed in, a third is anonymous with cookies, a third sends credentials and keeps no
  cookies. One operation in 20 writes, and browsers look at what they have just written. A write that a task carries out
  counts as its actor's from the moment the client is told that the task is done, and what a task reads for an actor
  counts as shown to the actor.
- `http_errors`: every answer that is none, for whatever reason, failed tasks included.
- `replica_share`: of the project's SELECT statements that do not lock, how many the standbys ran, by the servers' own
  pg_stat_statements; `replica_share_low_lag`: the same in the periods in which every standby was less than one second
  behind. Reads on a promoted server count as reads of the primary.
- `lost_writes`: acknowledged writes that the promoted server, or the primary at the end, does not have.

What is not measured

- Speed. Clients, web servers and databases share one machine; the rate is told only to show that there was load.
- An unplanned loss of the primary. The switchover is a planned one: requests wait at the entrance until it is done, so
  that it costs no errors, and every connection to the primary is cut. The old primary is thrown away, and the promoted
  server keeps its address as a replica, too.
- Anomalies between transactions of several statements, and whether all actors agree on one order (long fork): session
  guarantees promise neither.
- Violations that no client happened to see. A run without any is evidence, not proof.

The exit status is 1 when Readshift misses a bound: a violation, a share below 0.8 at low lag, or an HTTP error. It is 2
when the run itself failed.
"""

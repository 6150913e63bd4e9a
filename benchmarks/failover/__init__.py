"""What readers notice when a server dies, hangs, is cut off, slow, or behind.

    python -m benchmarks.failover --json [--only SYSTEM] [--scenario NAME ...] [--seconds N]

Three systems route the reads of the same small project (`app/`), one after the other in one run, each on a new cluster
of its own under the same load and the same faults: Readshift, django-multidb-router and django_replicated, each
installed as it documents itself, with its default settings. The project runs in three real web worker processes of four
threads; the primary and the two standbys are real, and the application reaches each through a relay of its own, so that
the network can fail as well. Connections are persistent and Django checks their health. `--seconds` says how long a
fault lasts. Each scenario begins with new web processes, new clients, an empty cache and standbys that have caught up,
and with a few quiet seconds.

Scenarios

- `kill`: one standby's processes end at once, and it starts again later.
- `hang`: one standby's processes stop running, with all connections open, and go on later.
- `blackhole`: the network between the application and one standby swallows everything, new connections and the end of
  old ones included, and delivers it later. The standby itself goes on replicating.
- `restart`: one standby restarts in mode "fast" and is away for two seconds.
- `slow`: every answer of one standby, also to a connection that begins, comes 0.8 seconds later.
- `lag`: one standby does not replay. The fault begins when it is ten seconds behind.
- `flap`: one standby's processes end and it starts again, four times in a row.
- `all_replicas_killed`, `primary_killed`: as `kill`, with both standbys, or with the primary; nobody is promoted.
- `budget`: as `all_replicas_killed`, with a fallback budget for Readshift, over which reads are shed.

What is measured

- `reads`: requests of 30 clients that have never written, for pages of three SELECTs that may come from a replica; one
  every 0.3 seconds each, 100 a second together. Half of the clients are anonymous with cookies, half send credentials.
  A client that waits for its answer misses its turns, and gives up after 20 seconds.
- `failed`: reads without an HTTP 200, from the quiet seconds to the end of the scenario. `shed`: those that were
  answered 503 with Retry-After instead, and are not among the failed.
- `p50_ms`, `p99_ms`, `max_ms`: how long reads took, failed ones included, that began within the fault or up to three
  seconds after it.
- `seconds_to_eject`: from the fault's begin until the last moment of it at which the application was trying something
  at a server at fault: to connect, to check a connection, or a statement. Null when this went on until the fault ended
  (its last second, or last quarter if that is less). The database engine of the project records the attempts of all
  systems alike; what hangs is being tried until it ends. Readshift's probes in the background are not the
  application's.
- `seconds_to_return`: from the fault's end until every server at fault had answered a statement that began after it;
  null when one had not until the scenario was over, at the earliest 15 seconds after the fault.
- `primary_peak_ratio`: of the reads that began within one second of the fault, the share that the primary had a part in
  answering; of all such seconds with at least ten reads, the largest. A server that answers nothing raises nobody's
  share: read it beside `failed` and `p99_ms`.
- `strict`, `strict_failed`: reads, ten a second, that must come from the primary, and those that did not. By a rule
  with the strict contract for Readshift; with the others, code names the primary.
- `writes`, `writes_failed`: requests of other clients, ten a second, that write.
- `pages_by_server`: how many reads each server had a part in answering.

What is not measured

- Speed. Clients, web servers, databases and relays share one machine; how much of it was idle is told for each scenario
  to show that it was not the bottleneck.
- Whether what was read was right or fresh; `benchmarks.consistency` does.
- A refused connection: the relay accepts, and hangs up when the server behind it refuses.
- The loss of a primary with a promotion, of the cache, or of a web server.
- More than one way of setting a system up. Timeouts that a project could give its connections are not among the
  defaults of any system.

The exit status is 1 when Readshift misses a bound: a read that failed in any scenario, or was shed in another than
`budget`; `seconds_to_eject` above 1 after `kill` and `restart`, above 3 after `hang`, `blackhole` and `slow`, where no
read may take longer than 3,500 ms; in `budget`, a `primary_peak_ratio` above the budget. It is 2 when the run itself
failed.
"""

"""Whether anything is lost or grows while servers fail again and again.

    python -m benchmarks.soak --json [--seconds N] [--seed N]

Readshift alone, on the project, the servers and the load of `benchmarks.failover`. A nemesis, which repeats itself for
the same seed, picks a fault and a victim, lets it last for some seconds, waits until all servers are well again, gives
the application some quiet seconds, and picks the next one: a standby killed, hung, black-holed, restarted, slow, held
still, or killed four times in a row; both standbys killed; the primary killed.

What is measured

- `reads`, `failed`, `p99_ms`, `max_ms`: of all clients that never write, from the beginning to the end. A read that did
  not get an HTTP 200 failed, whatever the reason.
- `faults`: how often each fault was done.
- `connections`: for each server, how many connections the application and Readshift's probes had open: the median of
  the quiet moments in the first and in the last third of the run, and the most at any moment.
- `memory_mb`: the memory that the web workers have for themselves (the private part, which the kernel counts for each
  process), all together: median of the first and of the last third, leaving out the first minute, in which modules are
  loaded and caches filled.
- `files`: the open files of the web workers, sockets included, likewise.

What is not measured

- Whether what was read was right or fresh; `benchmarks.consistency` does.
- Growth that takes longer than the run.

The exit status is 1 when a bound is missed: a read that failed; a server with more connections in the last third than
workers, threads and probes can hold; memory that grew by more than a tenth, or files by more than one for each thread,
either in a run of five minutes or more: before, both grow as modules are loaded and caches filled. It is 2 when the
run itself failed.
"""

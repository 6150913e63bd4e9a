"""What probing costs a replica when 1,000 processes read from it, and what sharing the probes does about it.

    python -m benchmarks.probing --json [--seconds N] [--spans N]

A primary and two standbys are real, and so are the cache, a Valkey, and the connections: those of `routers.probe`.
It takes about two minutes. `--seconds` says how long the simulation lasts, `--spans` how many spans each cost is of.

What is measured, on one standby

- `process`: every process asks every server. 100 connections ask together as often as 1,000 processes would, or as
  often as this machine can (`measured_questions_per_second`), and at two lower rates before (`by_rate`).
- `shared`: one connection asks as often as one process does.
- `cpu_ms_per_question`: processor time of the backends that answer, from /proc, per question.
- `read_latency_ratio`: the median time of a read by primary key, in a loop on one connection beside the questions,
  divided by the same without questions. Spans of both kinds alternate; the medians of all spans of a kind are compared.
- `memory_mb_per_connection`: PSS of a backend, which counts shared pages by the share it has in them. It includes its
  part of the shared buffers, which would be there without it.
- `simulated`: real processes with real probers in shared mode. Every few seconds the leader is ended by SIGKILL, and a
  new process takes its place. `longest_gap_seconds`: from the kill until another process led. `unfit_share`: of the
  time of all processes, from when each first found both standbys fit, the share in which it took one of them, healthy
  all the time, for unfit. `questions_per_second`: what a standby counted itself (pg_stat_statements), the first
  questions of new processes included. `longest_stall_seconds`: the longest that a process of the simulation was kept
  from running at all, above which nothing can be expected of it. `hang_seconds`: at the end a standby is stopped by
  SIGSTOP; until the last process took it for unfit.

What is computed for 1,000 processes

- `questions_per_second` and `connections` of both modes, from the default of `PROBE_SECONDS`;
  `cpu_share_of_one_core` and `memory_mb` from these and what was measured.
- `cache_calls_per_second`, and `cache_cpu_share_of_one_core` from the processor time that Valkey took for one of
  10,000 such calls in a row.

What is not measured

- The way between machines. Askers, reads and servers share one machine. The askers keep its processors busy at the
  lowest priority with questions and without, so that `read_latency_ratio` tells what the backends that answer take from
  a read; it depends on how many processors there are.
- 1,000 connections: what a snapshot of so many costs other backends is not in any of the figures.

The exit status is 1 when a process of the simulation took a healthy standby for unfit, when a standby was asked more
than five times a second in it, or when one that hung was taken for fit for longer than 3.2 seconds. It is 2 when the
run itself failed.
"""

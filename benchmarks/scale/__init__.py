"""What Readshift costs a site of 1,000 processes, 10,000 rules and 100,000 reads a second.

    python -m benchmarks.scale --json [--seconds N]

The primary is real, and so are its tables, the connections and the code that reads policies, writes counts and merges
them. There is room for 1,000 connections here, and not for 1,000 processes: what one process does is measured and
multiplied. Everything is processor time, from /proc, rather than time on the clock, unless it is said to be, so that
what else the machine does hardly matters. `--seconds` says how long it takes at about; 45 is the short form.

What is measured

- `reload`: reading the policy of 10, 1,000 and 10,000 rules, each under a flag of its own: what the process and the
  primary spend on it, and what is sent. `kill_switch`: the two questions after which a process obeys the kill switch.
  `at_once`: some processes that read the largest policy at the same moment, and how long the last of them took.
- `idle`: 1,000 connections that listen as agents do. `notify`: a rule is saved; how many seconds after the commit the
  last connection had heard of it (read by one process, in turn), and what all backends spent. `poll`: the question that
  each process asks again and again, asked on each of the connections in turn. `turns`: what an agent does all the time,
  on one connection beside the others: the same question, the heartbeat, the look for plans that nobody watches.
  `memory_mb_per_connection`: PSS of a backend.
- `statistics`: processes that serve 100 reads a second each, of 100 endpoints by Zipf's law, five reads in a unit, two
  replicas, 10 endpoints whose rollout is under way (`mix.py`). By seconds between two flushes: how many rows a flush
  writes, and what that takes, from two processes that flush all the time, each flush as another process's.
- `merge`: the housekeeping task on rows of one minute, made from those of the slowest flush. `counts_lost`: by how much
  the sum of all counts differs afterwards.
- `memory`: PSS of a fresh process that holds a policy, and what Python holds for it; and for `MAX_SERIES` counters.

What is computed, by the formulas of `computed.py`

- `change`: what the primary spends until all processes act on a change. `background`: what it spends all the time.
- `statistics`: rows, cores and write-ahead log for counts, by seconds between two flushes. `kept`: what tables hold.

What is not measured

- 1,000 processes: their own machines, networks, and a primary that serves so many at the same moment. Costs grow in
  proportion here; where backends wait for one another, they grow faster.
- Images of whole pages in the write-ahead log, which the throw-away primary does not write, vacuum of the tables, and
  replicas that replay all that.
- Probing, which `benchmarks.probing` measures, and what a decision costs.

The exit status is 1 when a notification takes more than a second to the last connection, when the kill switch would
cost the primary more than a second of a core, when merging changes a sum, or when merging would need more than one core
with a minute between two flushes. It is 2 when the run itself failed.
"""

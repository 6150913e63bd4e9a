"""Whether comparisons of captured reads tell the truth, and what capturing them costs.

    python -m benchmarks.shadow --json [--seconds N] [--phase NAME ...]

Readshift alone, on a small project (`app/`) of its own: a primary and two standbys, web servers, a broker, and Celery
workers that compare what the web servers capture, all real and all on one machine. A full run takes about twelve
minutes, one with `--seconds 120` about four.

Phases, and what is measured in each

- `healthy`: clients read over HTTP in 25 shapes, half of the rules observing and half routing, while a writer commits
  about a hundred times a second to the same tables, often to and fro between two values. The standbys are well, and
  between nothing and five seconds behind, which keeps changing; now and then replay stops for a moment.
  `comparisons`: how many ended with an answer, equal, equal in the end, or divergent. `false_divergent`: those that
  ended divergent, although there is no difference. `inconclusive`: how many ended without an answer, errors included,
  apart from those of a statement that draws random numbers, which is left out as it should be.
- `staleness`: both standbys apply each commit two seconds later, and the row that is read is written all the time.
  `staleness_ms_median`: of the reads that a replica would have answered stale, as reported.
- `planted`: a logical subscriber on a server of its own, whose pool's rules observe. Reads are found equal; then rows
  and a column are changed there, a row removed and one added, text made to sort otherwise, and the role given another
  time zone, while other rows of the same tables go on being written. `planted`: how many such faults. `found`: those of
  which every read was reported divergent. `causes_right`: those of which, besides, every report names the right cause.
- `overhead`: four web servers of one process each, which differ only in the rule their page is under, are asked in turn
  for the same page of four statements, by one client that thinks for a moment before each request.
  `request_overhead_ratio`: the median time of the server that captures every read over that of the two that capture
  nothing. Told besides: the same with a rule's default cap; the ratio of those two, which says what the measurement is
  worth; and how each differs between blocks with new processes.
- `broker_down`: `broker_down_ratio`, likewise, with the broker stopped. The worker ends with it, since Celery's may not
  survive a broker that goes away.
- `memory`: `peak_memory_mb`: by how much the worker process's peak resident memory grows when it compares a read of
  1,000,000 rows, after it has compared small ones.
- `http_errors`: answers other than 200 in all phases.

What is not measured

- Speed of comparison. Workers, clients and servers share one machine.
- Standbys that fail or are promoted while they are compared; tests do.
- Other collations than those of the machine: where neither PostgreSQL has ICU nor glibc can make a locale, that fault
  is not planted.

The exit status is 1 when a bound is missed: a false divergence; fewer comparisons than 20,000 in a full run, and
accordingly in a shorter one; a fault that was not found or was given another cause; a ratio above 1.03; an HTTP error;
a `staleness_ms_median` further than 300 from 2,000; a `peak_memory_mb` above 64. It is 2 when the run itself failed.
"""

"""How many more reads replicas allow, and how many leave the primary, where all servers are equally strong.

    python -m benchmarks.throughput --json [--seconds N] [--share X]

What runs

- A primary and two streaming replicas, each held by a control group to the same share of one processor, 0.2 by
  default: no more, and by its weight not less either while others use the machine.
- What uses up the processors' idle time, at the lowest weight, so that a processor is worth the same however busy the
  clients are: `benchmarks/throughput/spare.py` says why.
- The demo shop with 40,000 products, its own views and templates, in two processes of twenty clients for each system:
  the project without any router, with Readshift, with django-multidb-router and with django_replicated, each
  installed as it documents itself, with its default settings. Clients go through WSGI and the project's whole
  middleware inside their process, without a web server's own time, so that they leave the processors to the servers.
- The demo's reads (product list, product, search, API, report; 2.6 statements each on average) of 100,000 guests,
  always forty at a time, of whom none thinks, so that servers are at their limit throughout. A client that is
  answered goes on as any other visitor.

Configurations, which take turns in each round, in an order that changes

- `primary_only`: no router. What all ratios compare with.
- `one_replica`, `two_replicas`: Readshift with one rule for each page and one flag for all. The flag is open for as
  many visitors as leaves each server with an equal part: 50 % with the second replica drained, 66.7 % with both.
  Which server a visitor gets is Readshift's own choice, by its hash.
- `moved`: the same with the flag open for all.
- `peers`: the others' routers, which send all reads to the two replicas.
- `with_writes`: all of them once more while one request in twenty is a customer's review, and one reader in ten has
  signed in. Such requests also read sessions and users, which stay on the primary with Readshift. Only in runs of 300
  seconds and more.

Between its turns Readshift rests: its probes and its listener stop, so that they cost the others nothing. A turn
begins when it acts on the new share of visitors again, about 1.6 seconds after the change.

What is measured, in each the median of all rounds

- `reads_per_second`: SELECTs on the shop's tables that the servers ran, by their own statistics.
  `requests_per_second`, `p95_ms`: as the clients saw them; in a closed loop a request takes as long as the queue is.
- `ratio_two_replicas` and the other ratios: reads a second over those of `primary_only`. Three equal servers and
  forty clients that are spread over them by chance reach 40 / 42 of three times as much at best.
- `primary_reads_moved`: the share of the reads that the primary did not run in `moved`. All of them are eligible.
- `primary_cpu`: how many processors the primary kept busy, what the routers themselves ask of it included.
- `busiest_use`: how much of its share the busiest server used. Below 0.9 the clients or the machine were at their
  limit, and the run says so instead of judging. `clients_cpu`, `idle_share`: how many processors the clients kept
  busy, and how much of the machine's time nobody else needed.
- `decisions`: what Readshift decided in its windows, by reason. What is neither `routed` nor `gate_off` fell back.
- `ratio_by_processor_time`: as `ratio_two_replicas`, from how much of the busiest server's processor time a read
  took.

Where this user may not make control groups, `cpu_share` is null with a reason, and nothing holds the servers. Then
clients think between requests, so that neither servers nor clients are at their limit, and every ratio is the one by
processor time, which /proc tells: how many more reads the servers could serve if the busiest had as much time as the
primary has alone. It is worth less, since servers on one machine slow each other, and so the bound is not judged.

What is not measured: servers that have memory, disks and networks of their own. Here they share all of these, and the
shop fits into memory.

The exit status is 1 when Readshift misses a bound: a `ratio_two_replicas` of 2.6 at least, a `primary_reads_moved` of
0.95 at least, no request that fails. It is 2 when nothing was measured.
"""

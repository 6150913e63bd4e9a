"""What Readshift costs each read and each request, beside other routers and none at all.

    python -m benchmarks.overhead --json [--rounds N] [--no-instructions]

Its short form is `--rounds 10 --no-instructions`.

What is compared

- `readshift`, `multidb_router` and `django_replicated`, installed as their documentation says, with their default
  values; `no_router`; `constant`, a router that always answers the same replica; `naive_waffle`, a router that asks
  `waffle.flag_is_active` for the request of its thread at each read, with waffle's default values and Django's cache in
  the process's own memory, the fastest there is.
- Each is a process of its own with one project, on a primary and two streaming standbys that are started here. All use
  Django's own engine, which is how Readshift is installed. Readshift has 10 rules (1,000 and 10,000 in two further
  processes): one of them routes the page, under a waffle flag at 50 % that is on for this client. Its threads
  read the policy, probe the servers and store counts all the while, as in production. A block of its that the primary
  answered is left out.
- The client has a session cookie, and waffle's cookie that says that the flag is on for it. Requests go through all of
  Django, from WSGI or ASGI handler to view, within the process. Blocks of some milliseconds each take turns on one
  processor, in an order that changes; after 25 rounds new processes take over. The garbage collector runs as always, on
  what is made since the processes were ready.

What is measured

- `decision_us`: what `django.db.router.db_for_read(Article)`, which Django's ORM calls, takes within a request, after
  its first call. `ratio_to_multidb`: Readshift's over django-multidb-router's. Medians.
- `first_decision_us`: what the first one of a request takes: a request with one, less an empty request. Here Readshift
  finds out who asks, and asks gate, contract and replica. No bound.
- `read_us`: `Article.objects.get(pk=...)`, likewise. `read_ratio_to_constant`: Readshift's over the constant router's,
  of which two processes run, whose ratio is `read_ratio_of_constants`; the median of turns in which each of the three
  read 10 rows. `read_ratio_interval`: where that median lies with 95 % confidence; the
  short form knows it to about two percent, the full one to half a percent. `read_ratio_undisturbed`:
  the ratio of lower quartiles, of the turns in which nobody else needed the machine. `read_added_cpu_us`: how much more
  of a processor's time the thread needs for a read, which depends little on who else needs the machine.
- `request_us`: what a request that reads nothing takes more than without a router and its middleware; the greater of
  WSGI (`request_sync_us`) and ASGI (in `async`).
- `rules`: decisions with so many rules. `rules_10000_ratio`: 10,000 over 10, of the first decision or of later ones,
  whichever is greater.
- `extra_queries_per_request`: how many more queries than with the constant router all servers together are asked for a
  request that reads a row, by pg_stat_statements, less what they are asked for as long without requests.
  `queries_per_request` has all systems.
- `async`: the same in an `async` view under ASGI, where null stands for a router that knows threads alone and sends
  all to the primary. Its read ratio has no bound: each read goes to another thread and back, which varies by more.
- `instructions`: how many instructions the thread that serves requests needs, counted by Valgrind, which hardly vary;
  null where Valgrind is not installed. `first` is a whole request with one decision.
- `idle_share`: how much of the processors' time nobody needed. Where there is none, times are those of a crowded
  machine.

The exit status is 1 when a bound is missed: 1.0 for the ratio to django-multidb-router under WSGI and ASGI, 1.02 for
the read ratio, 50 us for a request, 1.2 for 10,000 rules, and no extra query.
"""

"""How long the server takes for the overview of a large installation, and how many queries, for each length of time.

    python -m benchmarks.pages --json [--times N]

What is built

- One primary and five streaming replicas, started here, which a process with Readshift's default values asks how they
  stand, as in production.
- 500 rules: 450 for endpoints, each with a waffle flag, and 50 for models. 40 rollouts are under way or were taken back
  lately, with verdicts of six guardrails each. 40 processes have told which revision they act on.
- 7 days of counts as `rollout.rollup` leaves them: rows of an hour, of a minute for the last two days, of ten seconds
  for the last ten minutes; about a million in all. How often an endpoint is read falls with its rank, as 1 / rank.
- 50,000 compared reads and 20,000 arm counts of 7 days, and 2,000 events.

What is measured

- `overview_ms`, `overview_queries`: the whole page, as an operator gets it who is no superuser, whose permissions take
  two queries. `refresh_ms`, `refresh_queries`: what an open page asks for every three seconds. Requests go through all
  of Django, middleware included, in the process that measures; the network and a web server's own time are not in it.
  Each is the median of `--times` requests, and the greatest query count; of the four lengths of time the slowest
  counts. `by_length` holds all of them.
- `first_ms`: the first request for each length of time. A process remembers what has settled of 24 hours and of 7 days
  until a bucket of half an hour or of three hours is over. No bound: it is paid once in that time.
- `slowest_ms`: the slowest of all others. `cpu_ms`: the median of what this process's processor was busy with it.
- `idle_share`: how much of the processors' time nobody needed. Where others leave none, the times are theirs.

The exit status is 1 when a bound is missed: 150 ms and 25 queries for the overview, 50 ms and 8 queries for the
refresh.
"""

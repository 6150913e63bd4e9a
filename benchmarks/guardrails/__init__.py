"""How often guardrails take back a rollout that changes nothing, and what they find of what gets worse.

    python -m benchmarks.guardrails --json [--rollouts N] [--seed N]

Simulated, on one processor, without a server: the windows are drawn, and what judges them is what the product runs,
`rollout.standings.update` and `rollout.judging.judge` with `rollout.guardrails.usual`. The same seed gives the same
figures. The full form, 10,000 rollouts, takes about 25 minutes.

What is simulated

- A rollout has the stages 1, 5, 25, 50 and 100 % of at least 5, 5, 10, 10 and 10 minutes, and a look at all guardrails
  every 10 seconds, at the end of each window. It goes to the next stage when all of them pass and the stage's time is
  over, and is taken back when one fails. While they hold it stays, up to 12 hours, and then ends as `held`.
- Guardrails: error rate, latency ratio and stale share, with the usual limits and 1 % alpha for all three together.
- Each rollout draws a path of its own. How they are drawn was fixed before any result was seen. Traffic: 20, 100, 500
  or 2,000 units a second, each as often. Error rate: 0.05 to 2 %, evenly on a logarithmic scale. Stale share: 0.2 to
  2 %, likewise; 5 % of the units are compared as shadow reads, at most 20 a second, and 20,000 were before the rollout,
  which gives the floor. Durations: log-normal, median 5 to 200 ms, sigma 0.5 to 0.9, and 5 % of them four times as long
  with a sigma of 1. All below the 70th and above the 99.7th percentile count as one bucket each, to save time: no limit
  looks there.
- Nothing is constant: traffic, error rate and stale share of both arms swing by 20 % up and down over six hours, and
  the error rate of each arm in each window is off by 5 % (standard deviation of a gamma variate) from that.
- Regressions begin with a window of the least time of a stage of 5, 25 or 50 %, each stage and window as often: errors
  of the replica's arm x 2, its durations x 1.5, or 2 percentage points more stale reads. A rollout has one or none.

What is measured

- `false_rollback_rate`: of `--rollouts` rollouts without a regression, the share that was taken back.
- `detection`: of a tenth as many with each regression, the share that was taken back after it had begun and before the
  rollout ended. One that is taken back before it begins counts as missed, and so does one that ends as `held`.
- `median_sample`: units of the replica's arm (errors, latency) or shadow reads (stale) from its beginning to that, of
  those found; `median_seconds` likewise, and `by_traffic` for each traffic.
- `held`, `median_minutes`: of the rollouts without a regression.
- `detection_at_100`: of a fiftieth as many with each regression that begins in the last stage, which has no primary arm
  beside it. No bound: what begins just before the end cannot be found before it.
- `fixed_threshold`: on the same windows, a rule as Flagger applies it: every minute the point estimates of that minute
  are compared with thresholds, and 10 failed checks, added up over the whole rollout, take it back (its documentation's
  interval and threshold); no data is a failed check. `argo`: the same checks as Argo Rollouts applies them: the first
  failed one takes it back (`failureLimit` 0), and no data is no failure. Their thresholds lie half way to what is to be
  found: 1.5 times the primary's error rate, 1.25 times its 95th percentile, the floor plus 1 percentage point; at 100 %
  against the last minute with a primary arm. That is kinder to them than the fixed numbers of their documentation,
  which know no primary. What they would have taken back before a regression begins is not held against their
  detection: they count afresh then. After the guardrails have taken a rollout back, they may go on for 30 minutes.

What is not simulated

- Failures that come in bursts of one arm alone, lag, divergent reads, fallbacks, and users that one sees twice.

The exit status is 1 when a bound is missed: more than 1 % false rollbacks, or less than 99 % of a kind detected, each
of 1,000 rollouts or more: of fewer, a share within a percent is chance. It is 2 when the run was stopped.
"""

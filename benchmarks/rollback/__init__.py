"""How fast a staged rollout takes itself back when a replica turns bad, on the demo shop with its visitors.

A plan holds the catalogue at 25 %. Then a real fault is injected: one replica applies what happens a minute late, or
gets a twentieth of the processor time that it had. What counts is the time from the fault until the last read of the
catalogue that either replica served, by the servers' own statistics, and how many reads the bad replica served until
then.
"""

"""The schedule: what ran when, what is due, and the machine's own timers that see to it.

One timer a day that runs whatever is due is all that is installed, not one per procedure. What is due is decided in one
place, from what ran and not from when a timer fired, so that a night without power is caught up once; there is one
order in which procedures run; and a change of a cadence needs no new timer, so that none goes stale.
"""

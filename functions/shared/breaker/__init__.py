"""The circuit breaker of the whole fleet: what its consumers and its controller share.

A *circuit* is one dependency. It is one item in DynamoDB, shared by all environments of all consumers,
because a breaker in the memory of each would have to be convinced fifty times, and would probe fifty times.

    settings.py   what can be set, with the sources of the defaults
    window.py     the sliding window of counts
    circuit.py    the state machine, pure
    outages.py    the times in which it was not at rest
    item.py       the circuit as an item, with a schema
    store.py      reads, and conditional writes
    changes.py    what a probe and people change
    client.py     what consumers use

Closed: calls are made and counted. When half of the newest 20 calls or more, of 10 s at most, failed, and
that is no chance, the circuit opens. Open: calls are refused, and the controller (`functions/breaker`) pauses
the event source mappings until the pause is over. Half-open: one probe at a time for the whole fleet, by a
lease; three successes in a row close the circuit, one failure opens it again, for longer. Slow start: once
closed, MaximumConcurrency grows 2, 4, 8 to what is configured. The pauses begin with the shortest again only
after the circuit was closed, at full concurrency, for as long as the longest of them: what fails again soon
after closing is tried ever more rarely.

Deliberately not done: no share of slow calls (a time-out is an exception, so set one); no state for each
caller or order (a failing caller needs a circuit of its own); no judgement below the minimum of calls (there,
the number of attempts per order is the bound); no local breaker while the store is down (calls go on, see
client.py).
"""

"""A county in one thread: real replication code over a simulated network, broker, disk and clock.

Everything that the outside world does is drawn from one seed, so a schedule that fails fails again, step by step. What
is real: outbox, publisher, catch-up, inbox, watermarks, gaps, consumer, beats, receipts, the node's store, epochs,
baseline and incarnation, the hub's pulse, seals and codecs, and SQLite. What is not:

    clock.py      an event loop whose time passes only when nobody has anything to do
    processes.py  a process that can be killed at any of its awaits
    disk.py       databases in memory: same contract as ``replication.database``, can be full, put back and copied
    network.py    links that lose, repeat, delay, reorder and part
    broker.py     a stream that forgets, repeats, is rewound, deleted and made again
    site.py       one installation of a site: the composition of ``node.daemon`` without folders and searches
    hub.py        the composition of ``hub.daemon``
    signatures.py seals that are made and checked with a digest in the place of Ed25519
    books.py      what the hub keeps: a ledger, or the real catalogue
    world.py      the machines together
    schedule.py   what happens when: drawn from the seed, printable, reducible
    faults.py     what each step of a schedule does
    running.py    a schedule from beginning to end, and what must hold then
    witness.py    what may never happen on the way, noted by the databases themselves
    many.py       many schedules over several processes, and what must have happened in so many
    breaks.py     known bugs to plant: each must be caught

Bounds are small (a frame holds three events), so that a short run meets all of them.
"""

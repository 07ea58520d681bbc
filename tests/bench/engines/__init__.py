"""One table from one run: our search beside other engines, over the same titles and the same questions.

    python -m tests.bench.engines --rows 100000

Each engine works in a process of its own and reads the titles from one file. The peers' modules need nothing of ours
and no library but the peer's own, because one of them runs under the system's Python.
"""

"""A whole county on one machine: the real programs, the real place names, and catalogues that nobody ever kept.

`county` is the table of sites, `catalogues` makes up what they keep, `files` writes it as messy spreadsheets, and
`running` starts the broker, the hub and the nodes, watches them settle, and says what to try next.
"""

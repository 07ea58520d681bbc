"""The commands of danglian-node, one module each: `add` gives the command line its part, `run` does the work."""

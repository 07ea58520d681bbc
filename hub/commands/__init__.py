"""The commands of danglian-hub, one module each: `add` gives the command line its part, `run` does the work."""

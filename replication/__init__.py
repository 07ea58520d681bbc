"""How events and calls get across: the same code at both ends, which knows nothing of nodes or hubs."""

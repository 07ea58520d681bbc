"""Several workers of one hub on one store: leases say which of them does what."""

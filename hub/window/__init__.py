"""The mediation window: requests, lookups, copies and certificates."""

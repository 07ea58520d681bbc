"""From a query to a page of hits: plans, ranks, facets, totals, budgets, and the federated answer."""

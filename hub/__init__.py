"""The county's side: the unified catalogue, the state of every site, and the people who ask."""

"""The people of the county: accounts, roles, how they sign in, and the tokens of other systems."""

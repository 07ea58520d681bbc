"""The daemon at each site: takes the catalogue files dropped there, publishes them and answers searches."""

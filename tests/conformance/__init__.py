"""The same suite over every implementation of an interface."""

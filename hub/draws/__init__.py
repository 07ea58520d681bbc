"""Fetching the files that a site offers: asked for in ranges, verified and written once, by line or from a disk."""

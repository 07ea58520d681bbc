"""Transfers at the giver: choosing records, making packages, submitting, signing, describing the new custody."""

"""Packages of a transfer: bags (RFC 8493), the official folder layout, EEP files (DA/T 48); the same at both ends."""

"""Bytes that never change: the wire format, frozen."""

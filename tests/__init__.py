"""Tests of Danglian; the folder says what kind they are (see CONTRIBUTING.md)."""

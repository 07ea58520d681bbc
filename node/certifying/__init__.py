"""Certifying: what the window orders, what the keeper decides, and what the site's key then signs (promise 11)."""

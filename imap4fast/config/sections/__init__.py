"""The schema: one module a manual page."""

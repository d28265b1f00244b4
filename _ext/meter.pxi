# Counters and rate arithmetic: filled in by its own change.

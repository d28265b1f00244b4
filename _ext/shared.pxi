# The host's table of counts, shared by the workers: filled in by its own change.

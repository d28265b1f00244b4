"""The benchmark of whole processes: this proxy beside the proxies used in its place (see README.md here)."""

"""imap4fast: an IMAP security proxy, a workalike of Kernun's imap4-proxy."""

__version__ = "0.1.0"

# cython: language_level=3
"""The wire: cuts bytes into units, looks units up in the gate, relays both directions of a session.

A table of contents; each included file owns one subject (architecture.md section 4). Grammar names are those of
RFC 3501 and RFC 9051.
"""

include "codes.pxi"
include "shared.pxi"
include "meter.pxi"

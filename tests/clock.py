"""How much slower than usual this run is. Limits by the clock tell linear from quadratic time; under sanitizers all
takes several times as long (tools/variant.sh).
"""

import os

SLOWER = float(os.environ.get("IMAP4FAST_TESTS_SLOWER", "1"))

"""Build of the one extension, `imap4fast._wire`. Everything else is in pyproject.toml.

IMAP4FAST_DEBUG=1: bounds checks and assertions, not optimised. IMAP4FAST_SANITIZE=1: these and the address and
undefined-behaviour sanitizers of gcc; Python must then run with libasan preloaded (tools/variant.sh).
"""

import os
from glob import glob

from Cython.Build import cythonize
from setuptools import Extension, setup

SANITIZE = os.environ.get("IMAP4FAST_SANITIZE") == "1"
CHECKED = SANITIZE or os.environ.get("IMAP4FAST_DEBUG") == "1"

WARNINGS = ["-Wall", "-Wextra", "-Wno-unused-parameter", "-Wno-unused-function"]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"] if SANITIZE else []

if SANITIZE:
    optimisation = ["-O1", "-g", "-fno-omit-frame-pointer"]
elif CHECKED:
    optimisation = ["-O0", "-g"]
else:
    optimisation = ["-O2", "-g", "-fno-plt"]

wire = Extension(
    "imap4fast._wire",
    sources=["_ext/_wire.pyx"],
    # The sdist takes from here what the .pyx includes.
    depends=sorted(glob("_ext/*.px[id]") + glob("_ext/*.h")),
    include_dirs=["_ext"],
    define_macros=[] if CHECKED else [("CYTHON_WITHOUT_ASSERTIONS", "1")],
    # C's own assertions, which Python's build flags switch off, count in a checked build too.
    undef_macros=["NDEBUG"] if CHECKED else [],
    extra_compile_args=optimisation + WARNINGS + SANITIZERS,
    extra_link_args=SANITIZERS,
)

setup(
    ext_modules=cythonize(
        [wire],
        compiler_directives={
            "language_level": "3",
            "boundscheck": CHECKED,
            "wraparound": False,
            "cdivision": True,
            "initializedcheck": CHECKED,
            "embedsignature": True,
            "freethreading_compatible": False,
        },
        # The C file of another variant may be newer than the sources.
        force=CHECKED,
    )
)

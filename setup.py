"""Build of the one extension, `imap4fast._wire`. Everything else is in pyproject.toml.

IMAP4FAST_DEBUG=1: bounds checks and assertions. IMAP4FAST_SANITIZE=1: address and undefined-behaviour sanitizers.
"""

import os
from glob import glob

from Cython.Build import cythonize
from setuptools import Extension, setup

DEBUG = os.environ.get("IMAP4FAST_DEBUG") == "1"
SANITIZE = os.environ.get("IMAP4FAST_SANITIZE") == "1"

compile_args = ["-O2", "-g", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Wno-unused-function", "-fno-plt"]
link_args: list[str] = []
if SANITIZE:
    compile_args = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-omit-frame-pointer", "-fno-sanitize-recover=all"]
    link_args = ["-fsanitize=address,undefined"]
elif DEBUG:
    compile_args = ["-O0", "-g", "-Wall"]

wire = Extension(
    "imap4fast._wire",
    sources=["_ext/_wire.pyx"],
    depends=sorted(glob("_ext/*.px[id]") + glob("_ext/*.h")),
    include_dirs=["_ext"],
    extra_compile_args=compile_args,
    extra_link_args=link_args,
)

setup(
    ext_modules=cythonize(
        [wire],
        compiler_directives={
            "language_level": "3",
            "boundscheck": DEBUG,
            "wraparound": False,
            "cdivision": True,
            "initializedcheck": DEBUG,
            "embedsignature": True,
            "freethreading_compatible": False,
        },
        compile_time_env=None,
        force=DEBUG or SANITIZE,
    )
)

"""Build of the one extension, `imap4fast._wire`. Everything else is in pyproject.toml.

IMAP4FAST_DEBUG=1: bounds checks and assertions, not optimised. IMAP4FAST_SANITIZE=1: these and the address and
undefined-behaviour sanitizers of gcc; Python must then run with libasan preloaded (tools/variant.sh).
"""

import os
import shlex
import shutil
import subprocess
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


def openssl() -> list[str]:
    """Flags of OpenSSL 3, which the extension is linked with."""
    name = os.environ.get("PKG_CONFIG") or "pkg-config"
    if shutil.which(name) is None:
        raise SystemExit("imap4fast needs pkg-config to find OpenSSL (Debian: apt-get install pkg-config libssl-dev)")
    asked = [name, "--cflags", "--libs", "openssl >= 3"]
    found = subprocess.run(asked, capture_output=True, text=True, check=False)
    if found.returncode:
        raise SystemExit(
            "imap4fast needs OpenSSL 3 or newer with its header files (Debian: apt-get install libssl-dev)\n"
            + found.stderr
        )
    return shlex.split(found.stdout)


FLAGS = openssl()
INCLUDES = [flag[2:] for flag in FLAGS if flag.startswith("-I")]
LINKS = [flag for flag in FLAGS if flag.startswith(("-L", "-l", "-Wl"))]

wire = Extension(
    "imap4fast._wire",
    sources=["_ext/_wire.pyx"],
    # The sdist takes from here what the .pyx includes.
    depends=sorted(glob("_ext/*.px[id]") + glob("_ext/*.h")),
    include_dirs=["_ext", *INCLUDES],
    define_macros=[] if CHECKED else [("CYTHON_WITHOUT_ASSERTIONS", "1")],
    # C's own assertions, which Python's build flags switch off, count in a checked build too.
    undef_macros=["NDEBUG"] if CHECKED else [],
    extra_compile_args=optimisation + WARNINGS + SANITIZERS,
    extra_link_args=SANITIZERS + LINKS,
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

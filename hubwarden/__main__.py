"""`python -m hubwarden`."""

import io
import sys

from hubwarden.cli import main

for stream in (sys.stdout, sys.stderr):
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")  # a name may have letters that this terminal or file lacks
sys.exit(main())

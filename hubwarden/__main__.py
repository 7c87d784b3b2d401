"""`python -m hubwarden`."""

import sys

from hubwarden.cli import main

sys.exit(main())

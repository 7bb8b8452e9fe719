"""An app whose module ends the process."""

import sys

sys.exit(3)

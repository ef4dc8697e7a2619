"""Write the reference anew: `make reference`, or `python -m tools.reference`."""

from __future__ import annotations

import sys

from tools.reference.documents import write

if __name__ == "__main__":
    sys.stdout.write(f"{write()}\n")

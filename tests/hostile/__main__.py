"""What did each door say to each hostile file, and what did that cost? Prints the table."""

from __future__ import annotations

import sys

from tests.hostile.running import corpus_table

if __name__ == "__main__":
    print(corpus_table(sys.argv[1:]))

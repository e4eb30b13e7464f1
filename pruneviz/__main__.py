"""What does `python -m pruneviz` do?"""

from pruneviz.cli import main

main(prog_name="pruneviz")

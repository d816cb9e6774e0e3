"""A main for each DVC stage, run as `python -m tintype.stages.NAME`."""

import sys

# A stage is about to start: what follows is told to end in an orderly way from here on.
if sys.argv[0] == "-m":
    from tintype.stages.stopping import listen

    listen()

"""What is claimed about speed, memory and quality, measured: each by a command of its own."""

import os

# On some machines Python may not keep what it has compiled, and every process pays for compiling it anew. On those of
# most people it may.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

"""Sound files changed at random, and random rows: nothing may break but the file."""

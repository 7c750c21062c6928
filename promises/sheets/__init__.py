"""Promises as sheets: claims in and out, statements of deposits, the platforms' payouts."""

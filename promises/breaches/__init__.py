"""Promises broken by the timestamps: found, proposed, filed or put aside, counted."""

"""Spreadsheets in and out: the reader, the dialects and the writer know no database."""

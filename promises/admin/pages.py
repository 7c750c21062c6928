"""The page of an act, as the pages of promises use it."""

from cases.admin.pages import Page, Row

__all__ = ["Page", "Row"]

"""The HTML pages, the documents that they show, and the files that they load."""

from taskwell.api.pages.site import site

__all__ = ["site"]

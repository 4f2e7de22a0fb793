"""Taskwell: a task backend that a developer can put behind any front end in one command."""

__version__ = "0.1.0"

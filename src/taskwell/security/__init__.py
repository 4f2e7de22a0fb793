"""Passwords and tokens: pure functions and the work that must not run on the event loop."""

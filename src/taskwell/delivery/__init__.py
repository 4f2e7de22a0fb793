"""Sends reminders by e-mail and webhook, with retries and a log."""

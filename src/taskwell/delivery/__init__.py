"""What Taskwell sends: reminders by e-mail and webhook, retried until they arrive, and the log of it."""

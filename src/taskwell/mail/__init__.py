"""Mail to people: queued in the transaction that causes it, sent by the worker, and tried again until it arrives."""

"""What an operator sees: metrics, log lines and traces."""

"""What an operator sees: numbers, log lines and traces."""

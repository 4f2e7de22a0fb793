"""The load scenario: what people do, for as long as a minute."""

ACCOUNTS = "SCENARIO_ACCOUNTS"
"""Names a file with an e-mail and a password a line, as ``taskwell seed`` prints them; without it each signs up."""

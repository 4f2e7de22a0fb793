"""Accounts, identities and the user's revision."""

"""HTTP, and only HTTP: each contract translates, calls one verb and translates back."""

"""The web: requests become jobs, outcomes become replies. No engine in here, and no torch."""

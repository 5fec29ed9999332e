"""Who may do what, and how much of it: keys and their scopes, limits by cost, shared addresses, names of the host."""

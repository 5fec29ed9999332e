"""One file per kind of address; each gives a function that builds a router from what it is handed."""

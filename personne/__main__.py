"""`python -m personne`: the same as `personne`."""

from personne.cli import main

main()

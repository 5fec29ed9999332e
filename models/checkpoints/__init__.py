"""Published checkpoints, read as data: nothing in them is executed (opening.py is the way in)."""

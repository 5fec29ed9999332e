"""The stories that join floors, one file each."""

"""Telling somebody outside that a job has ended: signed, retried, and never to an address inside."""

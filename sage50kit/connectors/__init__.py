"""Sage 50 companies that documents can be posted to."""

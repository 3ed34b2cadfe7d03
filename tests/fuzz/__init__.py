"""Millions of broken reviews, and what must hold for whatever is answered."""

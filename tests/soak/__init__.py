"""Random commands at random moments, for as long as one likes, and laws that must hold throughout."""

"""What programs can ask for, by its first word under /v1."""

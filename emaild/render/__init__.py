"""Mails out: their bytes, and the texts in them."""

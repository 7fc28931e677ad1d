"""Mails that somebody broke on purpose."""

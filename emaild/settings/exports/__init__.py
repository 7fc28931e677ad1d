"""Exports of Genesys's options (XML, CSV, INI) -> the text of a conf file."""

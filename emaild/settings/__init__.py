"""How conf files become values: declarations, parsers, the INI reader, and the whole as one snapshot."""

"""What a mail says: bytes in, facts out. Nothing here talks to a server, a store or a clock."""

"""What emaild says: how lines look (setup) and everything that it can say (events)."""

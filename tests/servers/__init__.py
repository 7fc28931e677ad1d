"""Real mail servers, and doubles that misbehave, for the tests: each with its own ports and folder."""

"""The command line: one module a family of commands, with no logic of its own."""

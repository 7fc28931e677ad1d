"""The webhook: interactions are posted to a program's URL, signed, in the order of each thread."""

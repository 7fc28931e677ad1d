"""Setting mailboxes up: what is found out, what is told, and the conf files that it becomes."""

"""What programs see of the store, as JSON: on the command line, over HTTP, in the webhook alike."""

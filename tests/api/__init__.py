"""The HTTP interface as a stranger sees it, who has its OpenAPI document only."""

"""The HTTP interface for programs: `[api]` in the conf files, FastAPI on uvicorn inside the daemon."""

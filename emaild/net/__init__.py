"""Connections: how they are opened, secured, watched while they idle, and what their failures mean."""

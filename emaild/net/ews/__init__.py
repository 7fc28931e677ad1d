"""Exchange Web Services: SOAP over HTTP, by exchangelib where it is right, over our own connections.

`place` needs no library. The other modules import exchangelib, which takes half a second and 60 MB: only those who
have a section with EWS import them, by name and late.
"""

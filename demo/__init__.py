"""A real exam, played over HTTP by hundreds of candidates at once, and then checked.

Everything here is done as a client would do it: no SQL writes, nothing of the gateway's inside.
"""

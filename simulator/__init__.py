"""A local Azure for demos, tests and rehearsals: the real SDKs, unmodified, talk to it over https on loopback.

It is never deployed, imports nothing of the product, and knows Azure from public documentation and recordings only.
"""

"""The only room that speaks to Azure Storage: what was claimed, decided, counted, told, run, and handed on.

With storage down nothing is written to Azure either: every write of a record has a claim stored ahead of it.
"""

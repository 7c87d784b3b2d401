"""The only room that speaks to Azure Storage: claims, follow-ups and the work queue.

With storage down nothing is written to Azure either: every write of a record has a claim stored ahead of it.
"""

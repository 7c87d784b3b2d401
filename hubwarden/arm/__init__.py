"""The only room that speaks to Azure Resource Manager and Resource Graph.

JSON keys, api-versions and Azure's exceptions end here: values of `hubwarden.model` and errors of `hubwarden.errors`
go out. It reads and writes what it is told, and decides nothing.
"""

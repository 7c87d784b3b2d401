"""Hubwarden: keeps the DNS of Azure Private Link right, and its doors guarded, in hub-and-spoke estates."""

__version__ = "0.1.0"

"""How Hubwarden gets to Azure: what is deployed, the resources that it runs on, and who may do what."""

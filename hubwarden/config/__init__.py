"""hubwarden.yaml and the environment. `loading` makes a Config of both; `environment` alone is cheap to import."""

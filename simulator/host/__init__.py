"""The parts of the local Functions host; `simulator.functions_host` puts them together."""

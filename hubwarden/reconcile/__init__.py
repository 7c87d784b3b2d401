"""The order of the steps: observe, decide, apply, hand on. The one path that every door takes."""

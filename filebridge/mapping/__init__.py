"""The YAML mappings: their model, their steps, and what they make of a table. Pure."""

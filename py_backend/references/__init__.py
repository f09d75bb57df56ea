"""What a config names by reference, "package.module:callable": the user's own models, datasets and losses."""

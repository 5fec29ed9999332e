"""Making models: a folder a recipe, and what recipes share."""

"""Where a picture comes from: written into it (recipe, content credentials, watermark), and read back."""

"""How good a generator is, and whether it copies, measured without any pretrained network."""

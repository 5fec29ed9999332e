"""Finding directions in a latent space: from scores, from samples, from weights, from examples."""

"""Small networks that say how old, how turned, how smiling a face looks: scores for finding directions."""

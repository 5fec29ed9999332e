"""What every recipe that draws faces of random latents shares: data, records, measures, and the end of a run."""

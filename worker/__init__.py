"""The worker: takes jobs in batches, runs them on a device, encodes the pictures, finishes each job."""

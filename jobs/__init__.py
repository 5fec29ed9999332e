"""The ground between web and worker: what a job is and how it travels. Standard library only (redis in one file)."""

"""The networks, one family a file, under the tensor names of their published implementations."""

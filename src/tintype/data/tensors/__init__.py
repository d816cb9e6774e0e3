"""Photos as shards of tensors: one `.npy` file for each split and bucket."""

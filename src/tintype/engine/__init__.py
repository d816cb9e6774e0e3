"""What colouring one photo or many takes around the network: the steps of a photo, batches, and bounded memory."""

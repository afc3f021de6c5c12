"""Image models, one file a vendor: a prompt goes out, pixels come back."""

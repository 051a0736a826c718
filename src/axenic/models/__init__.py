"""One Model protocol (generate, logprobs, activations) and what speaks it; templates, checkpoints and sampling."""

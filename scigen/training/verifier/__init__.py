"""The reward given by a verifier model: prompt, strict verdicts, a client that comes back, canaries, an alarm."""

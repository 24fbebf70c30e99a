"""Send messages: queue, signature, one HTTP attempt, and the sender that runs them side by side."""

"""Who may enter, as whom, and what they may do: accounts, sessions, tokens, and the check of every request."""

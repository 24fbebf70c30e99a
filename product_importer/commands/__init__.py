"""What the command line does beyond starting servers, and the processes that it keeps running."""

"""Commands about signing in, and those of the domain that it adds to."""

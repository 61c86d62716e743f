"""Counties together without a row leaving any: what one may give others, and what all say."""

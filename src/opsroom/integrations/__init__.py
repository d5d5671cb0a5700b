"""Systems that agents reach: what they promise, whether they still keep it, whom it hurts."""

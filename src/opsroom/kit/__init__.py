"""What every concept stands on, and no word of any concept."""

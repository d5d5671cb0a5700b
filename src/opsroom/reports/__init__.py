"""Reports: questions that people ask again and again, answered from records alone."""

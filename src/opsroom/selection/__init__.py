"""Selection: which of several models or agents should do a task, and how sure that is."""

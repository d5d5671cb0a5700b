"""A seeded freight desk: a demo, load, and tests with known answers.

Everything in here was made up for opsroom. The same seed gives the same world: goods, tasks,
how well each version of each agent does them, and how often a customer complains later.
"""

from tests.installation import home, home_template, local, own_environment

__all__ = ["home", "home_template", "local", "own_environment"]

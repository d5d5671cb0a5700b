from tests.installation import home, home_template, local, own_environment, shell

__all__ = ["home", "home_template", "local", "own_environment", "shell"]

"""`python -m opsroom.cli`: the command line of this very interpreter."""

from .main import main

if __name__ == "__main__":
    main()

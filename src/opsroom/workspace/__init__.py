"""The registry as files: a workspace in a git repository, and a whole project as one archive.

`opsroom.yaml` says which files stand for what. Their owner sees where repository and server
differ, what a push would do, and pushes, pulls or proposes. An archive carries a project's
registry to another server, with the same digests.
"""

__version__ = "1.0.dev0"  # the newest heading of CHANGELOG.md, which a test compares

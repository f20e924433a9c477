"""Commands for whoever runs the product: manage.py COMMAND --help."""

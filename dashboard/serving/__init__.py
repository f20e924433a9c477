"""How the process is run: starting, gunicorn, logs, middlewares, headers, downloads."""

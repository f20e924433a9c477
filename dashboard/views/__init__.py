"""Pages and actions, a module for each noun: read the request, call the domain, render."""

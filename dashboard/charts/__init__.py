"""Charts drawn on the server as SVG (drawing.py), and those of the insight page (insight.py)."""

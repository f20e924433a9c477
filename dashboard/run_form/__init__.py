"""The run form: what it opens with, its one-time key, what was typed, and what a press sends."""

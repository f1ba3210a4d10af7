"""freezeframe's measuring half: probe, decide, freeze. It never imports the half that shows (exporter)."""

__version__ = "0.1.0"

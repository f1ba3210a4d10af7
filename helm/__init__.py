"""What of the chart is made from elsewhere: `python -m helm` writes it."""

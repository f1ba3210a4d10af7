"""freezeframe's showing half: commands, metrics, pages, demo."""

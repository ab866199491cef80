"""The report of one mailing: its figures, its plots, and the page that holds them."""

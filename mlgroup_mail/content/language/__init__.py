"""What depends on a language: dates, numbers, names of zones, the templates' own words."""

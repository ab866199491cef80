"""The group's events: `events.yaml`, wall times and zones, the reader's clock, and the iCalendar part."""

"""What is held about one person: for the person, and for programs."""

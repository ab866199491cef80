"""Making things to fill in: a project directory, a campaign folder, the demonstration."""

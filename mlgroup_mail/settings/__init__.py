"""Settings: the environment, the project file, and the wiring of the parts."""

"""What every test may ask for."""

from hypothesis import settings

# The machine may be busy: how long an example takes says nothing.
settings.register_profile("mlgroup", deadline=None)
settings.load_profile("mlgroup")

pytest_plugins = ["tests.servers.plugin"]

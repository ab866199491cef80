"""What every test may ask for."""

import signal

from hypothesis import settings

# The machine may be busy: how long an example takes says nothing.
settings.register_profile("mlgroup", deadline=None)
settings.load_profile("mlgroup")

# Begun in the background, or under nohup, this process ignores Ctrl-C and the end of a session, and whatever it starts
# would, too: the tests of stopping ask what happens where nobody has arranged that.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

pytest_plugins = ["tests.servers.plugin", "tests.testing.plugin"]

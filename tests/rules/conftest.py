"""Properties without a stop-watch: how long an example takes is a matter of the machine."""

from hypothesis import settings

settings.register_profile("rules", deadline=None)
settings.load_profile("rules")

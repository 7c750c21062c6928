"""What every test stands on."""

from hypothesis import HealthCheck, settings

# A loaded machine is slow, not wrong.
settings.register_profile(
    "office", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("office")

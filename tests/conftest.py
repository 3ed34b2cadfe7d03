"""The same examples in every run: what fails is the change at hand. HYPOTHESIS_PROFILE=wild looks for new ones."""

import os

from hypothesis import HealthCheck, settings

PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is nobody's fault
settings.register_profile("steady", PATIENT, derandomize=True)
settings.register_profile("wild", PATIENT)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

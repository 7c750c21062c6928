"""One form per step: the only place that turns text and files into the steps' inputs.

The command ``do`` and the admin's page per step use the same forms, so that both read and refuse
alike. ``form.inputs()`` is what ``cases.flow.door.perform`` takes.
"""

from cases.forms.base import InputForm, StepForm
from cases.forms.opening import OpenCaseForm, ShipmentForm, SignatureForm
from cases.forms.steps import STEP_FORMS

__all__ = ["STEP_FORMS", "InputForm", "OpenCaseForm", "ShipmentForm", "SignatureForm", "StepForm"]

"""The desk: every page of the trunk in the admin, drawn by django-unfold."""
# LEAD: emptied for a moment because it broke everyone's django.setup(); import the modules again
# as soon as all of them exist:  from cases.admin import cases, orders, records, reference

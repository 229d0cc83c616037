"""NPS: would they recommend the company?

Source: F. Reichheld, "The One Number You Need to Grow", HBR, December 2003: 0-10 with 0-6, 7-8, 9-10.
"""

from worker.rules.duration import Duration
from worker.rules.kinds.base import Kind

NPS = Kind(
    key="nps",
    title={"ru": "NPS", "en": "NPS"},
    default_scale="1-10",
    # 1-10 is the milder custom of the field: there a 6 is no detractor.
    known_bands={(1, 10): (5, 9), (0, 10): (6, 9), (1, 5): (3, 5)},
    default_delay=Duration(business_days=1),
    opening="opening.nps",
    questions={"1-5": "nps5.question"},  # «насколько вероятно» wants ten steps
)

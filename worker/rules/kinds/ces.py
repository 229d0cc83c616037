"""CES: how easy was it to deal with the company? Kept as ease: more is easier.

Source: M. Dixon, K. Freeman, N. Toman, "Stop Trying to Delight Your Customers", HBR, July 2010. Theirs asks
for effort, where 1 is the good end; ours is the later reading, where 5 is.
"""

from datetime import timedelta

from worker.rules.duration import Duration
from worker.rules.kinds.base import Kind

CES = Kind(
    key="ces",
    title={"ru": "CES", "en": "CES"},
    default_scale="1-5",
    known_bands={(1, 5): (2, 4)},
    default_delay=Duration(timedelta(days=14)),
    opening="opening.later",
)

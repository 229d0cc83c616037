"""KINDS: one line for each kind of survey."""

from collections.abc import Mapping
from types import MappingProxyType

from worker.rules.kinds.base import Kind
from worker.rules.kinds.ces import CES
from worker.rules.kinds.csat import CSAT
from worker.rules.kinds.nps import NPS

KINDS: Mapping[str, Kind] = MappingProxyType({kind.key: kind for kind in (NPS, CSAT, CES)})

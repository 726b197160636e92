"""The conformance kit: any provider can prove that it is right, without an account."""

from tradeforge_testing.conformance.conformance import STANDARD, ProviderConformance
from tradeforge_testing.conformance.proving import Known, Why
from tradeforge_testing.conformance.specification import Level, Requirement, specification

__all__ = [
    "STANDARD",
    "Known",
    "Level",
    "ProviderConformance",
    "Requirement",
    "Why",
    "specification",
]

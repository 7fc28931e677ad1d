"""What a failure to send means: its cause, an explanation, what to do, and how long to wait."""

from __future__ import annotations

from emaild.diagnosis.delay import asked_delay
from emaild.diagnosis.diagnose import diagnose, diagnose_error, diagnose_receipt, kind_of_wait
from emaild.diagnosis.table import Diagnosis, Wait, Who

__all__ = ["Diagnosis", "Wait", "Who", "asked_delay", "diagnose", "diagnose_error", "diagnose_receipt", "kind_of_wait"]

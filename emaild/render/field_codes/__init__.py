"""Field codes: formulas between `<$` and `$>` in the texts that an operator writes.

The language is that of Genesys eServices ("Field Codes Reference Guide"): numbers, strings, dates and booleans;
operators and functions, of which `OURS` are not Genesys's; the objects Interaction, Contact and Agent; custom values
under dotted names. Names, words and comparisons of strings do not mind case. A value from outside is never taken for a
code; a `SavedCode` is.
"""

from __future__ import annotations

from emaild.render.field_codes.evaluator import render
from emaild.render.field_codes.faults import FieldCodeError
from emaild.render.field_codes.functions import FUNCTIONS, OURS
from emaild.render.field_codes.objects import SavedCode, Scope
from emaild.render.field_codes.template import Template, check, compiled

__all__ = ["FUNCTIONS", "OURS", "FieldCodeError", "SavedCode", "Scope", "Template", "check", "compiled", "render"]

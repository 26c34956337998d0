"""The audit: what is written of each outcome, and what reads, exports and proves it. Who decides writes lines only."""

from auth.audit.files import AuditFiles
from auth.audit.keys import AuditKey
from auth.audit.line import AuditLine, AuditUnavailable
from auth.audit.trail import AuditTrail

__all__ = ["AuditFiles", "AuditKey", "AuditLine", "AuditTrail", "AuditUnavailable"]

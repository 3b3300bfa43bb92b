"""The models of the app, with one noun in each file."""

from accounts.models.account import Account, AccountStatus, Tier
from accounts.models.api_token import ApiRequest, ApiToken, Scope
from accounts.models.attempt import Attempts
from accounts.models.audit import AuditEntry, LoginRecord
from accounts.models.kept_answer import KeptAnswer
from accounts.models.mail_entry import MailEntry
from accounts.models.operation import Operation
from accounts.models.relation import RelationStatus, SellingRelation
from accounts.models.user import Role, User, UserStatus

__all__ = [
    "Account",
    "AccountStatus",
    "ApiRequest",
    "ApiToken",
    "Attempts",
    "AuditEntry",
    "KeptAnswer",
    "LoginRecord",
    "MailEntry",
    "Operation",
    "RelationStatus",
    "Role",
    "Scope",
    "SellingRelation",
    "Tier",
    "User",
    "UserStatus",
]

"""How the page of the record names actions, kinds of objects, and who acts."""

from product_importer.access.audit import AuditAction, ObjectKind
from product_importer.access.principal import PrincipalKind

ACTIONS = {
    AuditAction.SIGNED_IN: "Signed in",
    AuditAction.SIGN_IN_FAILED: "Sign-in failed",
    AuditAction.SIGNED_OUT: "Signed out",
    AuditAction.SIGNED_OUT_EVERYWHERE: "Signed out everywhere",
    AuditAction.SETUP_LINK_MADE: "Set-up link created",
    AuditAction.ACCOUNT_CREATED: "Account created",
    AuditAction.ACCOUNT_DISABLED: "Account disabled",
    AuditAction.ACCOUNT_ENABLED: "Account enabled",
    AuditAction.ROLE_CHANGED: "Role changed",
    AuditAction.PASSWORD_CHANGED: "Password changed",
    AuditAction.TOKEN_CREATED: "Token created",
    AuditAction.TOKEN_DELETED: "Token deleted",
    AuditAction.PRODUCT_CREATED: "Product created",
    AuditAction.PRODUCT_UPDATED: "Product updated",
    AuditAction.PRODUCT_DELETED: "Product deleted",
    AuditAction.PRODUCT_RESTORED: "Product restored",
    AuditAction.PRODUCTS_DELETED: "All products deleted",
    AuditAction.PRODUCTS_EXPORTED: "Products exported",
    AuditAction.PRODUCTS_ACTION_STARTED: "Action on products started",
    AuditAction.PRODUCTS_ACTION_ENDED: "Action on products ended",
    AuditAction.IMPORT_STARTED: "Import started",
    AuditAction.IMPORT_ENDED: "Import ended",
    AuditAction.IMPORT_CANCELLED: "Import cancelled",
    AuditAction.IMPORT_RETRIED: "Import retried",
    AuditAction.IMPORT_APPLIED: "Dry run applied",
    AuditAction.IMPORT_ROWS_EDITED: "Rows edited",
    AuditAction.IMPORT_UNDO_REQUESTED: "Undo requested",
    AuditAction.IMPORT_UNDONE: "Import undone",
    AuditAction.WEBHOOK_CREATED: "Webhook created",
    AuditAction.WEBHOOK_UPDATED: "Webhook updated",
    AuditAction.WEBHOOK_DELETED: "Webhook deleted",
    AuditAction.WEBHOOK_TESTED: "Webhook tested",
    AuditAction.WEBHOOK_REDELIVERED: "Webhook sent again",
    AuditAction.WEBHOOK_SECRET_ROTATED: "Webhook secret changed",
}
KINDS = {
    ObjectKind.ACCOUNT: "Accounts",
    ObjectKind.TOKEN: "Tokens",
    ObjectKind.PRODUCT: "Products",
    ObjectKind.IMPORT: "Imports",
    ObjectKind.WEBHOOK: "Webhooks",
}
# What stands beside, or in place of, the name of who acts.
ACTORS = {
    PrincipalKind.PERSON: "",
    PrincipalKind.TOKEN: "token",
    PrincipalKind.ANYONE: "sign-in was off",
    PrincipalKind.STRANGER: "not signed in",
    PrincipalKind.SYSTEM: "worker or command line",
}

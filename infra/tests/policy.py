"""Says what identity policies allow, by IAM's rules: a matching Deny wins, else a matching Allow, else nothing is allowed.

Knows the condition operators that the template uses and refuses others. A condition on a key that a request does not have does not match.
"""

import re


def allowed(statements, action, resource, context=None):
    """Whether a request for `action` on `resource` goes through; `context` holds its condition keys."""
    matching = {one["Effect"] for one in statements if matches(one, action, resource, context or {})}
    return "Deny" not in matching and "Allow" in matching


def matches(statement, action, resource, context):
    if "NotAction" in statement:
        named = not any(like(action.lower(), pattern.lower()) for pattern in many(statement["NotAction"]))
    else:
        named = any(like(action.lower(), pattern.lower()) for pattern in many(statement["Action"]))
    return (
        named
        and any(like(resource, pattern) for pattern in many(statement["Resource"]))
        and all(
            holds(operator, key, many(wanted), context)
            for operator, tests in statement.get("Condition", {}).items()
            for key, wanted in tests.items()
        )
    )


def holds(operator, key, wanted, context):
    if key not in context:
        return False
    value = context[key]
    match operator:
        case "StringEquals" | "Bool":
            return value in wanted
        case "StringLike" | "ArnLike" | "ArnEquals":
            return any(like(value, pattern) for pattern in wanted)
        case "NumericLessThan":
            return any(float(value) < float(bound) for bound in wanted)
    raise ValueError(f"no such operator here: {operator}")


def like(text, pattern):
    wild = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(wild, text, re.DOTALL) is not None


def many(value):
    return value if isinstance(value, list) else [value]

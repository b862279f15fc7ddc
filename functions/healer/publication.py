"""One notice as SNS sends it: to each protocol in the form that its readers understand.

    email    text
    https    a custom notification, which Amazon Q Developer in chat applications shows in a channel
    sms      the subject
    default  JSON with stable fields: for queues, functions, email-json, http

Sources: Amazon SNS API reference, Publish (MessageStructure: a key for each protocol, `default` is required;
256 KB for all of them); Amazon Q Developer in chat applications, administrator guide, "Custom notifications".
docs/operations.md documents the fields. A field may be added; another meaning needs another schema number.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from selfheal.functions.healer.incident import Incident
from selfheal.functions.healer.message import (
    body,
    changes,
    clipped,
    facts,
    headline,
    next_steps,
    printed,
    subject,
)
from selfheal.functions.healer.states import Status

SCHEMA = 1

TITLE, DESCRIPTION, STEP, KEYWORD = 250, 8000, 350, 75
"""Characters that a custom notification may have there."""

_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_CUT = " ..."

_SUBJECT = 99
"""Characters of a subject: less than 100."""

LIST = 10
"""Entries of a list in a custom notification. The guide states no limit; more would not be read."""


def publication(incident: Incident, ledger: str) -> dict[str, str]:
    """Return the arguments of `sns.publish`, without the topic.

    Args:
        incident: The incident to report.
        ledger: The table's name, which commands need to find the incident.

    """
    title = subject(incident)
    forms = {
        "default": _json(document(incident, ledger)),
        "email": body(incident, ledger),
        "https": _json(custom_notification(incident, ledger)),
        "sms": title,
    }
    return {"Subject": title, "Message": _json(forms), "MessageStructure": "json"}


def about_the_healer(
    title: str, text: str, topic: str, keywords: Sequence[str], fields: Mapping[str, Any]
) -> dict[str, str]:
    """Return the arguments of `sns.publish`, without the topic, for what is about no incident.

    Args:
        title: The subject.
        text: The mail.
        topic: What it is about, such as "not-handled": thread and type of the custom notification.
        keywords: Of the custom notification.
        fields: The fields for programs, besides schema, title and text.

    """
    subject_line = title.encode("ascii", "replace").decode()[:_SUBJECT]
    whole = {"schema": SCHEMA, "title": subject_line, "text": text, **fields}
    content = {
        "textType": "client-markdown",
        "title": clipped(subject_line, TITLE),
        "description": _markdown(text, DESCRIPTION),
        "keywords": [clipped(each, KEYWORD) for each in keywords][:LIST],
    }
    metadata = {"threadId": f"selfheal-{topic}", "eventType": f"selfheal-{topic}"}
    custom = {"version": "1.0", "source": "custom", "content": content, "metadata": metadata}
    forms = {"default": _json(whole), "email": text, "https": _json(custom), "sms": subject_line}
    return {"Subject": subject_line, "Message": _json(forms), "MessageStructure": "json"}


def document(incident: Incident, ledger: str) -> dict[str, Any]:
    """Return the notice as JSON for programs. Every field is always there; null where there is nothing."""
    asked = incident.requests[-1] if incident.requests else None
    guard, hold, evidence = incident.guard, incident.hold, incident.evidence
    return {
        "schema": SCHEMA,
        **_stable(incident, ledger),
        "title": subject(incident),
        "text": body(incident, ledger),
        "changes": [
            {
                "what": each.what,
                "setting": str(each.plan.key),
                "before": _short(each.plan.before),
                "after": _short(each.plan.after),
                "since": each.since,
            }
            for each in changes(incident)
        ],
        "evidence": evidence
        and {
            "since": evidence.since,
            "requests": evidence.requests,
            "errors": evidence.errors,
            "probes": evidence.probes,
            "probe_errors": evidence.probe_errors,
            "verdict": evidence.verdict,
        },
        "guard": guard
        and {
            "reason": guard.reason,
            "limit": guard.limit,
            "found": guard.found,
            "total": guard.total,
            "until": guard.until,
        },
        "hold": hold and {"reason": hold.reason, "since": hold.since, "until": hold.until},
        "request": asked
        and {
            "id": printed(asked.id),
            "verb": asked.verb,
            "by": printed(asked.by),
            "at": printed(asked.at),
            "why": printed(asked.why),
            "answered_at": asked.answered_at,
            "answer": asked.answer,
            "done": asked.done,
        },
        "failures": [printed(each) for each in incident.failures],
        "next": next_steps(incident, ledger),
    }


def custom_notification(incident: Incident, ledger: str) -> dict[str, Any]:
    """Return the notice in the event schema of custom notifications, with the incident's thread."""
    stable = {name: value for name, value in _stable(incident, ledger).items() if value is not None}
    keywords = [incident.target, incident.status.value, headline(incident).value, incident.mode.value]
    return {
        "version": "1.0",
        "source": "custom",
        "content": {
            "textType": "client-markdown",
            "title": clipped(subject(incident), TITLE),
            "description": _markdown("\n".join(facts(incident)), DESCRIPTION),
            "nextSteps": [_markdown(step, STEP) for step in next_steps(incident, ledger)][:LIST],
            "keywords": [clipped(word, KEYWORD) for word in keywords],
        },
        "metadata": {
            "threadId": incident.id,
            "summary": f"Incident {incident.id} of target {incident.target}",
            "eventType": "selfheal-incident",
            "relatedResources": [incident.target, incident.alarm],
            "additionalContext": {
                "schema": str(SCHEMA),
                **{name: _text(value) for name, value in stable.items()},
            },
        },
    }


def _stable(incident: Incident, ledger: str) -> dict[str, Any]:
    """Return the fields by which a program routes, threads and closes; in both forms by the same names."""
    proposed = incident.status is Status.PROPOSED and incident.plan is not None
    return {
        "incident": incident.id,
        "target": incident.target,
        "status": incident.status,
        "reason": headline(incident),
        "mode": incident.mode,
        "open": incident.is_open,
        "reminder": incident.reminding,
        "alarm": incident.alarm,
        "opened_at": incident.opened_at,
        "closed_at": incident.closed_at,
        "plan_digest": incident.plan.digest(incident.target) if proposed and incident.plan else None,
        "ledger": ledger,
    }


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _short(value: str | None) -> str | None:
    return None if value is None else printed(value)


def _markdown(text: str, limit: int) -> str:
    """Return a text in which nothing is a link or a mention, whoever wrote it, and no escape is cut."""
    shown, length = list[str](), 0
    for each in text:
        written = _ESCAPES.get(each, each)
        length += len(written)
        if length > limit - len(_CUT):
            return "".join(shown) + _CUT
        shown.append(written)
    return "".join(shown)

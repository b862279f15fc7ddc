"""The reminder of an override of the mode: who set it may have forgotten it, and nothing heals meanwhile.

It lasts longer than any incident, so when people were last reminded is in the item that all targets share.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from selfheal.functions.healer.aws import Aws
from selfheal.functions.healer.clock import iso, parse_iso
from selfheal.functions.healer.ledger import LostRaceError
from selfheal.functions.healer.message import printed
from selfheal.functions.healer.observe import Setup
from selfheal.functions.healer.publication import about_the_healer
from selfheal.functions.healer.readings import AHEAD, Fleet
from selfheal.functions.shared.contract import Mode

_LONG_AGO = datetime.min.replace(tzinfo=UTC)

_MEANS = {
    Mode.OBSERVE: "records what it would do, and changes nothing",
    Mode.SUGGEST: "applies what a person has approved, and nothing else",
}


def remind(aws: Aws, fleet: Fleet, setup: Setup, now: datetime) -> None:
    """Remind people of an override that restricts the mode, and that was set or told of long ago.

    Args:
        aws: The clients.
        fleet: The shared item, as this run has read it.
        setup: Baseline, override and limits. Of an override that cannot be read, the run's failure tells.
        now: The time.

    Raises:
        botocore.exceptions.ClientError: when the ledger or the topic refuses. A later run reminds.

    """
    override, baseline = setup.mode_override, setup.baseline
    every = timedelta(seconds=setup.limits.remind_seconds)
    mode = override.mode
    if mode is None or override.version < 1 or setup.mode is baseline:
        return
    if now < max(_moment(override.at, now), _moment(fleet.mode_told or "", now)) + every:
        return
    try:
        aws.ledger.write_mode_told(fleet, iso(now))
    except LostRaceError:
        return
    told = {"mode": mode, "baseline": baseline, "at": printed(override.at)}
    told |= {"by": printed(override.by), "why": printed(override.why)}
    text = "\n".join(
        [
            f"A reminder: the mode is {mode}, overridden at {told['at']} by {told['by']} ({told['why']}).",
            f"The baseline is {baseline}. As long as the override is there, the healer {_MEANS[mode]}.",
            "Next: if it is not needed any more, `selfheal mode --clear --why TEXT` removes it.",
            f"On AWS add: `--aws --ledger {aws.table}`. You are reminded until then.",
        ]
    )
    title = f"[selfheal] reminder: mode {mode}, overridden since {told['at']}"
    notice = about_the_healer(title, text, "mode-override", [mode, "mode"], {"mode_override": told})
    try:
        aws.sns.publish(TopicArn=aws.escalation_topic, **notice)
    except Exception:
        aws.ledger.write_mode_told(replace(fleet, mode_told=iso(now)), fleet.mode_told or "")
        raise


def _moment(text: str, now: datetime) -> datetime:
    """Return a time that was written; long ago, if it is none, or much later than now."""
    try:
        moment = parse_iso(text)
        return moment if moment <= now + AHEAD else _LONG_AGO
    except (TypeError, ValueError):
        return _LONG_AGO

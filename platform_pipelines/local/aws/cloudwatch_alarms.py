"""The alarms of both Regions: judged as time goes on, they change state and call on SNS.

They live in ministack's stores, where CloudFormation puts them too; composite alarms follow their
children there. What ministack would do at the moment of a call only, or wrongly, is replaced.
"""

import json
from collections.abc import Iterator
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import cloudwatch_evaluation as evaluation
from platform_pipelines.local.aws import cloudwatch_words as words
from platform_pipelines.local.aws import sns, stores
from platform_pipelines.local.aws.cloudwatch_evaluation import Alarm, Judgement, State
from platform_pipelines.local.world import World

MINUTE = 60.0
_ACTIONS = {
    State.ALARM: "AlarmActions",
    State.OK: "OKActions",
    State.INSUFFICIENT_DATA: "InsufficientDataActions",
}
_COMPOSITE = "AlarmRule"


class Alarms:
    """Judges alarms and does what they ask for. Used on the event loop's thread."""

    def __init__(self, world: World) -> None:
        self._world = world

    def install(self) -> None:
        """Take the place of what ministack does with alarms."""
        vars(ministack.service("cloudwatch")).update(
            _evaluate_alarm=lambda _alarm: None,
            _record_history=self._changed,
            _dispatch_alarm_actions=self._act,
        )

    def judge_all(self, since: float) -> None:
        """Judge every alarm whose time has come: each minute, or at each look if it is finer."""
        now = self._world.now()
        minute_is_over = now // MINUTE != since // MINUTE
        for account, region, alarm in self._every():
            due = minute_is_over or alarm["Period"] < MINUTE
            if due and not stores.dark(self._world, region):
                with ministack.scope(account, region):
                    self._judge(alarm, now)

    def configured(self, name: str, is_composite: bool, verb: str) -> None:
        """Note in the history that somebody changed an alarm."""
        self._note(name, is_composite, "ConfigurationUpdate", f'Alarm "{name}" {verb}', {})

    def _every(self) -> Iterator[tuple[str, str, Alarm]]:
        alarms = ministack.service("cloudwatch")._alarms
        for (account, region, _name), alarm in list(alarms.all_items()):
            if alarm.get("ComparisonOperator") in evaluation.COMPARISONS:
                yield account, region, alarm

    def _judge(self, alarm: Alarm, now: float) -> None:
        seen = evaluation.evaluate(alarm, now)
        before = alarm["StateValue"]
        if seen.state is None or seen.state == before:
            return
        self._turn(alarm, seen, before, now)
        module = ministack.service("cloudwatch")
        self._changed(alarm["AlarmName"], before, seen.state.value, alarm["StateReason"])
        self._act(alarm, before, seen.state.value, alarm["StateReason"])
        module._evaluate_parent_alarms(alarm)

    def _turn(self, alarm: Alarm, seen: Judgement, before: str, now: float) -> None:
        assert seen.state is not None
        alarm |= {
            "StateValue": seen.state.value,
            "StateReason": words.reason(alarm, seen, before),
            "StateReasonData": words.reason_data(alarm, seen, now),
            "StateUpdatedTimestamp": now,
            "StateTransitionedTimestamp": now,
        }

    def _changed(
        self,
        name: str,
        before: str,
        after: str,
        reason: str,
        kind: str = "MetricAlarm",
        data: Any = None,
    ) -> None:
        """ministack's `_record_history`; a new alarm is not a change of state."""
        if before == after:
            return
        new = {"stateValue": after, "stateReason": reason}
        new |= {"stateReasonData": data} if data is not None else {}
        content = {"version": "1.0", "oldState": {"stateValue": before}, "newState": new}
        summary = f"Alarm updated from {before} to {after}"
        self._note(name, kind == "CompositeAlarm", "StateUpdate", summary, content)

    def _act(self, alarm: Alarm, before: str, after: str, _reason: str) -> None:
        """ministack's `_dispatch_alarm_actions`."""
        if not alarm.get("ActionsEnabled", True):
            return
        _, _, _, region, account, *_ = alarm["AlarmArn"].split(":")
        text = words.message(alarm, before, account, region, self._world.now())
        for action in alarm.get(_ACTIONS[State(after)]) or ():
            subject = words.subject(alarm, region)
            done = ":sns:" in action and sns.publish(account, region, action, subject, text)
            verb = "Successfully executed" if done else "Failed to execute"
            content = {"actionState": "Succeeded" if done else "Failed", "publishedMessage": text}
            is_composite = _COMPOSITE in alarm
            self._note(
                alarm["AlarmName"], is_composite, "Action", f"{verb} action {action}", content
            )

    def _note(
        self, name: str, is_composite: bool, kind: str, summary: str, content: dict[str, Any]
    ) -> None:
        module = ministack.service("cloudwatch")
        module._history_entries().append(
            {
                "AlarmName": name,
                "AlarmType": "CompositeAlarm" if is_composite else "MetricAlarm",
                "Timestamp": module._ts_iso(self._world.now()),
                "HistoryItemType": kind,
                "HistorySummary": summary,
                "HistoryData": json.dumps(content),
            }
        )

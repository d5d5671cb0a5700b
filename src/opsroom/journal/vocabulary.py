"""The sentences in which the journal is told: one for each event, and the page of each subject."""

from dataclasses import dataclass
from typing import Literal

Tone = Literal["good", "bad", "warn", "info", "muted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """How to say an event. Braces name `actor`, `subject` or a fact."""

    says: str
    note: str = ""
    tone: Tone = "muted"
    place: str = ""


# Where one event can end in several ways, the fact that tells them apart.
TURNS = {
    "label.moved": "how",
    "approval.given": "answer",
    "gate.decided": "outcome",
    "improvement.finished": "outcome",
    "scorecard.drawn": "outcome",
    "judge.calibrated": "gates",
    "eval.finished": "state",
    "proposal.checked": "state",
    "release.advanced": "to",
    "release.gated": "outcome",
    "release.pair_judged": "good",
    "feedback.given": "state",
}
VERDICT = "/evals/verdicts/{digest}"
WORDS: dict[str, Words] = {
    "artifact.created": Words(says="{actor} created {subject} ({criticality})"),
    "artifact.archived": Words(says="{actor} archived {subject}", note="{reason}"),
    "artifact.restored": Words(says="{subject} is needed again"),
    "version.created": Words(says="{author} made version {number} of {subject}", tone="info"),
    "version.created:reverts": Words(
        says="{author} made version {number} of {subject}, back to version {reverts}",
        tone="warn",
    ),
    "label.moved": Words(
        says="{actor} moved {label} of {subject} from {before} to {after}", note="{reason}"
    ),
    "label.moved:first": Words(
        says="{actor} set {label} of {subject} to version {after}", note="{reason}", tone="info"
    ),
    "label.moved:merge": Words(
        says="{actor} merged: {label} of {subject} went from {before} to {after}",
        note="{reason}",
        tone="good",
    ),
    "label.moved:release": Words(
        says="a release moved {label} of {subject} from {before} to {after}",
        note="{reason}",
        tone="good",
    ),
    "label.moved:rollback": Words(
        says="{actor} rolled {label} of {subject} back from {before} to {after}",
        note="{reason}",
        tone="bad",
    ),
    "proposal.opened": Words(
        says="{actor} proposed version {number} of {artifact} for {label}", tone="info"
    ),
    "proposal.checked": Words(says="check {check} of {subject} is {state}"),
    "proposal.checked:passed": Words(says="check {check} of {subject} passed", tone="good"),
    "proposal.checked:failed": Words(says="check {check} of {subject} failed", tone="bad"),
    "proposal.revised": Words(says="{actor} moved {subject} to version {after}", tone="info"),
    "proposal.viewed": Words(says="{actor} looked at {part} of {subject}"),
    "proposal.unviewed": Words(says="{actor} has still to look at {part} of {subject}"),
    "proposal.checklist_answered": Words(
        says="{actor} answered the bias checklist of {subject} for version {number}",
        tone="info",
    ),
    "review.settings_set": Words(says="{actor} set what reviews take", tone="warn"),
    "proposal.commented": Words(says="{actor} commented on {subject}"),
    "proposal.comment_closed": Words(says="a comment on {subject} is {state}"),
    "proposal.merged": Words(says="{actor} merged {subject}", tone="good"),
    "proposal.withdrawn": Words(says="{actor} withdrew {subject}", note="{reason}"),
    "approval.given:approve": Words(
        says="{actor} approved {subject}", note="{reason}", tone="good"
    ),
    "approval.given:request_changes": Words(
        says="{actor} asked for changes to {subject}", note="{reason}", tone="warn"
    ),
    "approval.consumed": Words(says="{count} approvals of {subject} were used"),
    "redteam.generated": Words(
        says="{actor} made {cases} {purpose} out of {seeds}", tone="info"
    ),
    "redteam.talked": Words(
        says="simulated users had {conversations} conversations with {spoken_to}"
    ),
    "redteam.rehearsed": Words(
        says="{actor} rehearsed {subject} on {cases} cases of {dataset}: {alone} of {proposals} "
        "actions would have happened unattended",
        place="/redteam/runs/{run}",
    ),
    "eval.started": Words(says="{actor} began to measure {measured} on {dataset}"),
    "eval.finished": Words(says="{subject} is measured, {answered} answers"),
    "eval.finished:inconclusive": Words(
        says="{subject} ended with {answered} answers, not all", tone="warn"
    ),
    "eval.finished:error": Words(says="{subject} could not be measured", tone="bad"),
    "judge.calibrated": Words(
        says="{actor} held {subject} against {dataset}: it may gate in {domains}", tone="good"
    ),
    "judge.calibrated:none": Words(
        says="{actor} held {subject} against {dataset}: it may gate nowhere", tone="warn"
    ),
    "gate.decided": Words(
        says="the gate on {subject} against {baseline} is {outcome}",
        note="{reason}",
        tone="warn",
        place=VERDICT,
    ),
    "gate.decided:passed": Words(
        says="{subject} passed the gate against {baseline}",
        note="{reason}",
        tone="good",
        place=VERDICT,
    ),
    "gate.decided:failed": Words(
        says="{subject} failed the gate against {baseline}",
        note="{reason}",
        tone="bad",
        place=VERDICT,
    ),
    "release.started": Words(says="{actor} set out to release {subject}", tone="info"),
    "release.gated": Words(
        says="the gate on {subject} is {outcome}", note="{because}", tone="warn"
    ),
    "release.gated:passed": Words(
        says="{subject} passed its gate", note="{because}", tone="good"
    ),
    "release.gated:failed": Words(
        says="{subject} failed its gate", note="{because}", tone="bad"
    ),
    "release.due": Words(says="{subject} is due for a decision: {decision}"),
    "release.advanced": Words(says="{subject} went on to {to}", note="{because}", tone="info"),
    "release.advanced:gating": Words(says="{subject} waits for its gate"),
    "release.advanced:shadowing": Words(
        says="{subject} runs in shadow", note="{because}", tone="info"
    ),
    "release.advanced:in_review": Words(
        says="{subject} has its sample ready to be judged", note="{because}", tone="info"
    ),
    "release.advanced:canarying": Words(
        says="{subject} took a step of its canary", note="{because}", tone="info"
    ),
    "release.paused": Words(says="{subject} was paused", note="{because}", tone="warn"),
    "release.resumed": Words(says="{actor} let {subject} go on", note="{because}", tone="info"),
    "release.aborted": Words(says="{subject} was stopped", note="{because}", tone="bad"),
    "release.rolled_back": Words(
        says="{subject} was rolled back", note="{because}", tone="bad"
    ),
    "release.promoted": Words(says="{subject} was promoted", note="{because}", tone="good"),
    "release.superseded": Words(says="{subject} was superseded", note="{because}"),
    "release.security_event": Words(
        says="a security event was reported for {subject}", note="{what}", tone="bad"
    ),
    "release.reported_by_hand": Words(
        says="{actor} reported by hand how {subject} does", tone="warn"
    ),
    "release.pair_judged:True": Words(
        says="{actor} judged an answer of {subject} as good", note="{reason}"
    ),
    "release.pair_judged:False": Words(
        says="{actor} judged an answer of {subject} as bad", note="{reason}", tone="warn"
    ),
    "turn.begun": Words(says="{agent} began a turn: {intent}"),
    "turn.planned": Words(says="{actor} means to: {plan}"),
    "turn.ended": Words(says="{subject} ended: {final}"),
    "action.proposed": Words(says="{agent} proposed {tool}"),
    "action.permitted": Words(says="policy lets {subject} pass: {verdict}", tone="good"),
    "action.denied": Words(
        says="{subject} was denied by its {by}", note="{because}", tone="bad"
    ),
    "action.deferred": Words(says="{subject} was put off", note="{because}", tone="warn"),
    "action.awaiting_approval": Words(
        says="{subject} waits for a person", note="{because}", tone="warn"
    ),
    "action.recommended": Words(says="{subject} is what the agent would do", note="{because}"),
    "action.reserved": Words(says="{subject} has its budgets set aside"),
    "action.executing": Words(says="{subject} is being carried out, attempt {attempt}"),
    "action.succeeded": Words(says="{subject} is done", tone="good"),
    "action.failed": Words(says="{subject} failed", note="{error}", tone="bad"),
    "action.unknown": Words(
        says="nobody knows what came of {subject}", note="{error}", tone="bad"
    ),
    "action.reconciled": Words(says="{actor} settled {subject}", note="{reason}", tone="info"),
    "action.refused": Words(says="a call of {tool} was refused: {code}", tone="bad"),
    "inbox.asked": Words(says="{agent} asks: {title}", note="{risk} risk", tone="info"),
    "inbox.link_issued": Words(says="{person} was sent a link to {subject}"),
    "inbox.link_followed": Words(says="{actor} followed a link to {subject}"),
    "inbox.flooded": Words(says="{subject} asks more than people can read", tone="warn"),
    "inbox.approved": Words(says="{actor} approved: {title}", note="{reason}", tone="good"),
    "inbox.edited": Words(
        says="{actor} approved with changes: {title}", note="{reason}", tone="good"
    ),
    "inbox.rejected": Words(says="{actor} rejected: {title}", note="{reason}", tone="bad"),
    "inbox.responded": Words(
        says="{actor} answered otherwise: {title}", note="{text}", tone="info"
    ),
    "inbox.consumed": Words(says="the approval by {by} was used for {subject}"),
    "inbox.expired": Words(says="nobody answered in time about {subject}", tone="warn"),
    "inbox.cancelled": Words(
        says="what was asked about {subject} was withdrawn", note="{reason}"
    ),
    "inbox.undone": Words(says="{actor} took an answer about {subject} back", tone="warn"),
    "inbox.lapsed": Words(
        says="an approval of {subject} lapsed with the role of its giver", tone="warn"
    ),
    "inbox.handed_over": Words(says="{actor} handed {subject} over to {to}", note="{reason}"),
    "inbox.snoozed": Words(says="{actor} put {subject} off until {until}"),
    "inbox.escalated": Words(says="{subject} climbed to {to}", tone="warn"),
    "inbox.checked": Words(says="{actor} was tested on {tool}", note="passed: {passed}"),
    "inbox.probe_kept": Words(says="{actor} keeps {request} as a test of reviewers"),
    "inbox.settings_set": Words(
        says="{actor} set how reviewers are watched",
        note="tests {probe_share}, second looks {second_share}",
        tone="warn",
    ),
    "override.recorded": Words(
        says="{actor} decided otherwise than {agent}", note="{reasoning}", tone="warn"
    ),
    "override.recategorised": Words(says="{actor} sorted {override} as {to}"),
    "override.retracted": Words(says="{override} teaches nothing: it was taken back"),
    "traces.keeping_decided": Words(
        says="{actor} decided how telemetry is kept",
        note="contents: {contents}; taken out: {shipped} {rules}",
        tone="warn",
    ),
    "traces.view_saved": Words(
        says="{actor} saved the view {name} of traces", note="{asked}", place="/traces"
    ),
    "traces.view_removed": Words(
        says="{actor} removed the view {name} of traces", note="{asked}", place="/traces"
    ),
    "workspace.exported": Words(
        says="{actor} took the whole registry out as {subject}",
        note="{artifacts} artifacts, {versions} versions, {items} items; digest {digest}",
        tone="warn",
    ),
    "workspace.imported": Words(
        says="{actor} brought in {subject}",
        note="{artifacts} artifacts, {versions} versions, {items} items; digest {digest}",
        tone="warn",
    ),
    "import.done": Words(says="{actor} brought in {subject}", note="{new}", tone="info"),
    "budget.set": Words(
        says="{actor} set the budget of {scope} {key} to {hard} {unit}", tone="info"
    ),
    "budget.removed": Words(
        says="{actor} removed the budget of {scope} {key}", note="{reason}", tone="warn"
    ),
    "budget.refused": Words(
        says="the budget of {scope} {key} refused {wanted} {unit}",
        note="{settled} settled and {held} held of {hard}",
        tone="bad",
    ),
    "budget.soft_passed": Words(
        says="{scope} {key} passed the soft limit of {soft} {unit}",
        note="{settled} settled and {held} held of {hard}",
        tone="warn",
    ),
    "budget.overshot": Words(
        says="{scope} {key} spent {over} {unit} beyond its hard limit of {hard}",
        note="{action} cost more than the {amount} that were held for it",
        tone="bad",
    ),
    "budget.expired": Words(
        says="{amount} {unit} held for {action} were freed",
        note="nobody said in time what became of it",
        tone="warn",
    ),
    "autonomy.killed": Words(says="{actor} stopped {agent}", note="{reason}", tone="bad"),
    "autonomy.revived": Words(
        says="{actor} let {agent} act again", note="{reason}", tone="warn"
    ),
    "autonomy.narrowed": Words(
        says="{subject} may do less: {scope} went from {before} to {after}",
        note="{reason}",
        tone="warn",
    ),
    "autonomy.proposed": Words(
        says="{actor} proposed {after} for {scope} of {subject}", note="{because}", tone="info"
    ),
    "autonomy.widened": Words(
        says="{actor} let {subject} do more: {scope} went from {before} to {after}",
        note="{because}",
        tone="good",
    ),
    "autonomy.declined": Words(
        says="{actor} declined {after} for {scope} of {subject}", note="{reason}"
    ),
    "autonomy.begun_anew": Words(
        says="what {subject} may earn begins anew with another version", note="{scopes}"
    ),
    "autonomy.inherited": Words(
        says="{subject} keeps {level} for {scope} with its new manifest", note="{because}"
    ),
    "journal.verified": Words(
        says="{actor} verified the journal up to entry {seq}", tone="good"
    ),
    "retention.rules_set": Words(
        says="{actor} decided that actions are kept {actions}, and words of feedback {feedback}",
        tone="warn",
        place="/retention",
    ),
    "retention.applied": Words(
        says="what was kept long enough went: {turns} turns, {actions} actions, the words of {feedback} pieces of feedback",
        place="/retention",
    ),
    "hold.placed": Words(
        says="{actor} placed a hold on {scope} {what}",
        note="{reason}",
        tone="warn",
        place="/retention",
    ),
    "hold.released": Words(
        says="{actor} released {subject}", note="{because}", tone="warn", place="/retention"
    ),
    "erasure.done": Words(
        says="{actor} erased a {sort}: {turns} turns, {actions} actions, {feedback} pieces of feedback",
        note="SHA-256 of who it was: {who}",
        tone="warn",
        place="/retention",
    ),
    "backup.made": Words(says="{actor} made {subject}, up to {journal}"),
    "journal.key_made": Words(
        says="{actor} made a key that signs the journal", note="{reason}", tone="warn"
    ),
    "integration.watched": Words(says="{subject} is looked after from now on"),
    "integration.checked": Words(says="{subject} was checked and keeps its word"),
    "integration.changed": Words(
        says="{subject} promises something else now", note="{because}", tone="warn"
    ),
    "integration.failed": Words(
        says="{subject} was checked and does not keep its word", note="{because}", tone="bad"
    ),
    "integration.health_changed": Words(
        says="{subject} is {after} now, {before} before", note="{because}", tone="warn"
    ),
    "integration.accepted": Words(
        says="{actor} accepted what {subject} promises now", note="{reason}", tone="info"
    ),
    "alert.opened": Words(says="{rule}, {urgency}: {because}", note="{agent}", tone="bad"),
    "alert.reminded": Words(
        says="{rule}, {urgency}, and nobody has taken it on: {because}",
        note="{agent}",
        tone="bad",
    ),
    "alert.muted": Words(says="{actor} muted {what}", note="{reason}", tone="warn"),
    "alert.unmuted": Words(says="{actor} ended the silence about {what}"),
    "security.order_seen": Words(
        says="{agent} read a text from {where} that gives it orders",
        note="{words}",
        tone="warn",
    ),
    "security.attack_stopped": Words(
        says="{agent} wanted {where} after it had read orders", note="{words}", tone="bad"
    ),
    "security.unknown_tool": Words(
        says="{agent} asked for {where}, which it has no contract for",
        note="{words}",
        tone="warn",
    ),
    "security.secret_in_output": Words(
        says="{agent} gave a secret away: {where}", note="{words}", tone="bad"
    ),
    "security.canary_seen": Words(
        says="{agent} gave a canary away: {where}", note="{words}", tone="bad"
    ),
    "security.odd_output": Words(
        says="{agent} gave something odd: {where}", note="{words}", tone="warn"
    ),
    "channel.queued": Words(says="{event} is on its way through {subject}", note="{about}"),
    "channel.delivered": Words(
        says="{event} went through {subject}", note="{about}: {said}", tone="good"
    ),
    "channel.abandoned": Words(
        says="{event} did not get through {subject} in {attempts} attempts",
        note="{about}: {said}",
        tone="bad",
    ),
    "alert.acknowledged": Words(says="{actor} took on the alert {rule}", note="{agent}"),
    "alert.resolved": Words(
        says="{actor} resolved the alert {rule}", note="{note}", tone="good"
    ),
    "correction.found": Words(
        says="an override of {agent} may be learnt from: {human_said}, not {agent_said}",
        note="{category}",
        tone="info",
    ),
    "correction.repeated": Words(
        says="{agent} was corrected again: {human_said}, not {agent_said}", note="{category}"
    ),
    "correction.quarantined": Words(
        says="nothing is learnt from an override of {agent} yet", note="{because}", tone="warn"
    ),
    "correction.looked_at": Words(
        says="somebody who did not know who had said what looked at a correction of {agent}",
        note="they chose: {said}",
        tone="info",
    ),
    "correction.accepted": Words(
        says="{actor} took a correction of {agent} into {version}: {human_said}, not {agent_said}",
        note="{split} case",
        tone="good",
    ),
    "correction.retired": Words(
        says="{actor} retired a correction of {agent}: {human_said}, not {agent_said}",
        note="{because}",
    ),
    "correction.readmitted": Words(
        says="{actor} made a correction of {agent} a candidate again", note="{because}"
    ),
    "correction.completed": Words(
        says="{actor} said what was missing of a correction of {agent}: {human_said}"
    ),
    "scoring.decided": Words(
        says="{actor} decided who judges {agent} while it works: {evaluators}",
        note="a share of {share} of what it finishes, at most {most_a_day} a day",
    ),
    "drift.found": Words(
        says="what {agent} does is not what it was: {because}", note="{aspect}", tone="warn"
    ),
    "drift.settled": Words(
        says="{aspect} of {agent} is again what it was", note="{note}", tone="good"
    ),
    "drift.accepted": Words(
        says="{actor} accepted {aspect} of {agent} as the new normal",
        note="{note}",
        tone="info",
    ),
    "scorecard.drawn:recommended": Words(
        says="{actor} drew up the scorecard {name}", note="{says}", tone="good"
    ),
    "scorecard.drawn:undecided": Words(
        says="{actor} drew up the scorecard {name}", note="{says}", tone="info"
    ),
    "scorecard.drawn:nobody": Words(
        says="{actor} drew up the scorecard {name}", note="{says}", tone="warn"
    ),
    "release.scorecard_attached": Words(
        says="{actor} attached the scorecard {scorecard} ({state})", note="{says}", tone="info"
    ),
    "improvement.started": Words(
        says="{actor} began to search for something better than {base}",
        note="{method}, on {dataset}",
        tone="info",
    ),
    "improvement.finished:found": Words(
        says="a search found something for {target} and proposes it",
        note="{because}",
        tone="good",
    ),
    "improvement.finished:nothing": Words(
        says="a search found nothing better for {target}", note="{because}"
    ),
    "improvement.failed": Words(
        says="a search for {target} could not be carried out", note="{because}", tone="bad"
    ),
    "improvement.stopped": Words(says="{actor} stopped a search for {target}", tone="warn"),
    "retraining.queued": Words(
        says="{agent} should be made better: {because}", note="{trigger}", tone="warn"
    ),
    "retraining.strengthened": Words(
        says="one more reason to make {agent} better: {because}", note="{trigger}"
    ),
    "retraining.started": Words(
        says="{actor} began to look for something better for {agent}",
        note="{improvement}",
        tone="info",
    ),
    "retraining.found": Words(
        says="{version} was found for {agent}", note="{because}", tone="info"
    ),
    "retraining.gating": Words(says="the gate is asked about what was found for {agent}"),
    "retraining.releasing": Words(
        says="{version} is released, with what was found for {agent}",
        note="{release}",
        tone="info",
    ),
    "retraining.released": Words(
        says="{agent} runs on what was found for it", note="{because}", tone="good"
    ),
    "retraining.dismissed": Words(
        says="{agent} is not made better now", note="{because}", tone="muted"
    ),
    "retraining.held": Words(
        says="making {agent} better stands still", note="{because}", tone="warn"
    ),
    "retraining.settings_set": Words(
        says="{actor} set when {agent} is made better, and how far by itself: {mode}"
    ),
    "sunset.proposed": Words(
        says="{actor} proposed to end {agent}", note="{because}", tone="warn"
    ),
    "sunset.approved": Words(says="{actor} approved that {agent} ends", tone="info"),
    "sunset.announced": Words(
        says="the end of {agent} is announced", note="after it: {successor}", tone="warn"
    ),
    "sunset.ramped": Words(says="{agent} serves {share} % of its calls now", tone="info"),
    "sunset.dormant": Words(
        says="{agent} serves nobody any more, and is watched for {days} days", tone="info"
    ),
    "sunset.caller_seen": Words(
        says="{agent} is still called, so its watch begins anew", note="{callers}", tone="warn"
    ),
    "sunset.quiet": Words(
        says="nobody called {agent} for {days} days; its end waits for a signature", tone="info"
    ),
    "sunset.decommissioned": Words(
        says="{actor} decommissioned {agent}", note="{proof}", tone="warn"
    ),
    "sunset.closed": Words(says="{what} of {agent}: done", note="{words}"),
    "sunset.archived": Words(says="{agent} is archived", note="{export}"),
    "sunset.reinstated": Words(
        says="{actor} called the end of {agent} off", note="{because}", tone="good"
    ),
    "zombie.found": Words(says="{agent} lingers: {because}", note="{kind}", tone="warn"),
    "zombie.settled": Words(says="{agent} lingers no more: {kind}", note="{because}"),
    "zombie.to_end": Words(says="{by} said that {agent} is to end", note="{kind}", tone="warn"),
    "zombie.kept": Words(says="{by} said that {agent} stays", note="{kind}", tone="info"),
    "threshold.examined": Words(
        says="{actor} examined the confidence of {subject} under {contract}",
        note="{because}",
        tone="info",
    ),
    "threshold.proposed": Words(
        says="{actor} proposed that {subject} acts alone from {value} on under {contract}",
        note="{cutoff}",
        tone="info",
    ),
    "threshold.lost": Words(
        says="{subject} is wrong more often than was promised under {contract}",
        note="{because}",
        tone="bad",
    ),
    "threshold.settings_set": Words(says="{actor} set what acting alone is held to"),
    "queue.opened": Words(says="{actor} opened the review queue {name}", tone="info"),
    "queue.filled": Words(says="{actor} put {added} tasks into the review queue {name}"),
    "queue.sampled": Words(
        says="{actor} drew {drawn} of {population} traces for the review queue {name}",
        note="{how}, {added} of them new",
    ),
    "queue.closed": Words(says="{actor} closed the review queue {name}", note="{note}"),
    "annotation.labelled": Words(says="{actor} labelled {subject}", place="/queues/{queue}"),
    "annotation.skipped": Words(
        says="{actor} left {subject} to other reviewers", place="/queues/{queue}"
    ),
    "annotation.disputed": Words(
        says="two reviewers disagree about {subject}", tone="warn", place="/queues/{queue}"
    ),
    "annotation.settled": Words(
        says="{subject} is labelled {label}",
        note="labels given: {people}",
        tone="good",
        place="/queues/{queue}",
    ),
    "feedback.given": Words(says="{source} feedback about {about}", note="{agent}"),
    "feedback.given:quarantined": Words(
        says="{source} feedback about {about} was set aside", note="{because}", tone="warn"
    ),
    "feedback.joined": Words(says="earlier feedback about {about} found its work of {agent}"),
    "feedback.flooded": Words(
        says="{by} said too much, and {set_aside} pieces of feedback were set aside",
        note="{because}",
        tone="warn",
    ),
    "feedback.linked": Words(says="{actor} made a link for feedback about {about}"),
    "feedback.links_revoked": Words(
        says="{actor} revoked every feedback link made until then", tone="warn"
    ),
    "feedback.released": Words(
        says="{actor} let feedback about {about} count", note="set aside: {because}"
    ),
    "report.scheduled": Words(
        says="{actor} lets the report {report} be sent every {every}", note="to {channel}"
    ),
    "report.schedule_changed": Words(
        says="{actor} changed a schedule: the report {report} every {every}",
        note="to {channel}",
    ),
    "report.schedule_ended": Words(
        says="{actor} lets the report {report} be sent no more",
        note="to {channel}",
        tone="warn",
    ),
    "report.sent": Words(
        says="the report {report} is on its way to {channel}", note="digest {digest}"
    ),
    "report.not_sent": Words(
        says="the report {report} was not sent to {channel}", note="{because}", tone="bad"
    ),
    "cadence.came_up": Words(says="{title} has come up, due {due}", note="{because}"),
    "cadence.started": Words(says="{actor} began {title}", tone="info"),
    "cadence.attached": Words(says="{actor} attached {record} to {title}"),
    "cadence.closed": Words(
        says="{actor} closed {title}, {how}", note="{because}", tone="good"
    ),
    "cadence.rescheduled": Words(
        says="{actor} moved {title} from {before} to {due}", note="{because}", tone="warn"
    ),
    "cadence.overdue": Words(
        says="{title} is overdue since {due}", note="owner: {owner}", tone="bad"
    ),
    "cadence.missed": Words(says="nobody began {title}, due {due}", tone="bad"),
    "cadence.cancelled": Words(says="{title} is not needed any more"),
    "cadence.settings_set": Words(
        says="{actor} set which occasions come up", tone="warn", place="/cadence"
    ),
    "cadence.feed_made": Words(says="{actor} made an address for their calendar"),
    "maturity.moved": Words(
        says="{subject} is at L{after} now, {title}", note="L{before} before", tone="info"
    ),
    "user.created": Words(says="{actor} created {subject}", note="roles {roles}"),
    "user.roles_set": Words(
        says="{actor} set the roles of {subject}", note="{after}, before {before}", tone="warn"
    ),
    "user.password_set": Words(says="{actor} set the password of {subject}"),
    "user.roles_kept": Words(
        says="{subject} is in no group any more, and kept their roles in {place}: nobody else administers it"
    ),
    "user.ways_in_voided": Words(
        says="{actor} ended the password, sessions and links of {subject}"
    ),
    "link.issued": Words(says="{actor} made a one-time link for {subject}"),
    "session.begun": Words(says="{subject} logged in"),
    "session.ended": Words(says="{subject} logged out"),
    "session.revoked": Words(says="{actor} ended a session of {subject}", tone="warn"),
    "session.all_ended": Words(says="{actor} logged out everywhere"),
    "session.refused": Words(
        says="a login at the identity provider was refused", note="{because}", tone="warn"
    ),
    "environment.set": Words(
        says="{actor} set what {subject} asks for",
        note="reviewed: {reviewed}, at least {criticality}, after {after}, by {movers}",
        tone="warn",
        place="/environments",
    ),
    "environment.removed": Words(
        says="{actor} removed {subject}", tone="warn", place="/environments"
    ),
    "organisation.created": Words(
        says="{actor} made the organisation {name}",
        note="{admin} administers it",
        place="/organisations",
    ),
    "organisation.renamed": Words(
        says="{actor} called the organisation {before} {after}", place="/organisations"
    ),
    "organisation.member_set": Words(
        says="{actor} set the roles of {subject} in every project of {organisation}",
        note="{after}, before {before}",
        tone="warn",
        place="/organisations",
    ),
    "organisation.member_removed": Words(
        says="{actor} ended the membership of {subject} in {organisation}",
        note="roles {before}",
        tone="warn",
        place="/organisations",
    ),
    "project.created": Words(says="{actor} made the project {name}", place="/organisations"),
    "project.renamed": Words(
        says="{actor} called the project {before} {after}", place="/organisations"
    ),
    "project.moved": Words(
        says="{actor} gave {subject} to another organisation",
        note="from {before} to {after}",
        tone="warn",
        place="/organisations",
    ),
    "session.entered": Words(says="{subject} came in from another project"),
    "role.set": Words(
        says="{actor} set the role {subject}",
        note="{after}, before {before}",
        tone="warn",
        place="/access",
    ),
    "role.removed": Words(
        says="{actor} removed {subject}",
        note="{people} people and {programs} programs held it",
        tone="warn",
        place="/access",
    ),
    "service.opened": Words(
        says="{actor} gave {subject} an identity",
        note="{owner} answers for it; roles {roles}",
        place="/access",
    ),
    "service.roles_set": Words(
        says="{actor} set the roles of {subject}",
        note="{after}, before {before}",
        tone="warn",
        place="/access",
    ),
    "service.closed": Words(
        says="{actor} closed {subject}", note="{reason}", tone="warn", place="/access"
    ),
    "access.rules_set": Words(
        says="{actor} set the access rules", note="{digest}", tone="warn", place="/access"
    ),
    "access.settings_set": Words(
        says="{actor} set what is asked of credentials", tone="warn", place="/access"
    ),
    "access.glass_broken": Words(
        says="{actor} took the role {role} in an emergency, for {minutes} minutes",
        note="{reason}",
        tone="bad",
        place="/access",
    ),
    "access.glass_ended": Words(
        says="{subject} does not have the role {role} of an emergency any more",
        place="/access",
    ),
    "agent.retired": Words(says="{actor} retired {subject}", note="{reason}", tone="bad"),
    "agent.reinstated": Words(
        says="{actor} let {subject} act again", note="{reason}", tone="warn"
    ),
    "memory.forgotten": Words(
        says="{actor} made {agent} forget a decision", note="{reason}", tone="warn"
    ),
    "gateway.tool_quarantined": Words(
        says="the tool {tool} of an MCP server {what} and is in quarantine",
        note="approved as {subject}, at {url}",
        tone="bad",
        place="/quarantine",
    ),
    "gateway.model_changed": Words(
        says="asked for {model}, a provider now serves {what}: {served}",
        note="{fingerprint} at {endpoint}; before it was {before_served} {before_fingerprint}",
        tone="warn",
    ),
    "gateway.model_rests": Words(
        says="{model} failed {failures} times and rests for {seconds} seconds",
        note="at {endpoint}",
        tone="bad",
    ),
    "gateway.model_works": Words(
        says="{model} answers again", note="at {endpoint}", tone="good"
    ),
    "secret.set": Words(
        says="{actor} set {subject}", note="for {places}", tone="info", place="/secrets"
    ),
    "secret.rotated": Words(says="{actor} rotated {subject}", tone="info"),
    "secret.removed": Words(
        says="{actor} removed {subject}", note="{used_by}", tone="warn", place="/secrets"
    ),
    "token.issued": Words(says="{actor} made the token {name}", note="roles {roles}"),
    "token.revoked": Words(says="{actor} revoked {subject}", tone="warn"),
}

# Subjects that have pages. Artifacts are found under the plural of their kind.
ARTIFACTS = {
    "prompt": "/prompts",
    "agent": "/agents",
    "contract": "/contracts",
    "policy": "/policies",
    "dataset": "/datasets",
    "evaluator": "/evaluators",
    "integration": "/integrations",
    "alert-rule": "/alert-rules",
    "channel": "/channels",
}
PLACES = {
    "alert": "/alerts/{}",
    "mute": "/alerts",
    "budget": "/budgets/{}",
    "correction": "/corrections/{}",
    "drift": "/drift/{}",
    "improvement": "/improvements/{}",
    "feedback": "/feedback",
    "proposal": "/proposals/{}",
    "retraining": "/retraining/{}",
    "queue": "/queues/{}",
    "release": "/releases/{}",
    "run": "/evals/runs/{}",
    "sunset": "/sunsets/{}",
    "zombie": "/sunsets/zombies",
    "scorecard": "/scorecards/{}",
    "request": "/inbox?request={}",
    "trace": "/traces/{}",
    "turn": "/turns/{}",
    "occasion": "/cadence/{}",
    "report": "/reports/copies/{}",
    "report-schedule": "/reports#schedules",
    "secret": "/secrets/{}",
    "user": "/people",
    "token": "/people",
}

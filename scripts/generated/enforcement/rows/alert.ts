import { always, rowsOf, written, type EnforcementRow } from '../row.ts'

const delivered = 'AL1 of the classes, stale, restart_exhausted, needs_human and run_completed are each delivered once'
const filtered = 'AL1 alert_policy.events filters the classes'
const undeliverable = 'AL3 what could never be delivered is refused at creation, all at once, by field'
const signed = 'AL3 a receiver written with standardwebhooks accepts the signature'
const byReference = 'AL3 what has no value is not sent, and told by the secret’s name alone'
const kept = 'SE5 an address or a routing key that stands in a policy enters no entry, spec or error'
const slack = 'AL3 Slack gets blocks whose texts can neither mention nor link'
const pagerDuty = 'AL3 PagerDuty gets a trigger with a dedup_key, and a resolve with the same one'
const told = 'EV6 escalated is reported at delivery, once, with the channel and the id'

const raised = (...tests: string[]): EnforcementRow => ({ rules: ['AL1'], tests, otherwise: always })

const url: EnforcementRow = {
  rules: ['SE5', 'AL3', 'AL4'],
  tests: [kept, 'AL4 redirects are not followed', undeliverable],
  control: [kept, 'AL4 public addresses of both families are connected to'],
  otherwise: 'refused as `unenforceable` where it could never be delivered to; an inner address is not connected to',
}
const urlRef: EnforcementRow = {
  rules: ['AL3'],
  tests: [byReference, undeliverable],
  control: [signed],
  otherwise: 'refused as `unenforceable` where no source could know it; one that has no value is tried again, and given up',
}
const secretRef: EnforcementRow = {
  rules: ['AL3'],
  tests: [signed, 'AL3 with several secrets each of them verifies', undeliverable],
  control: [signed],
  otherwise: 'refused as `unenforceable` where nothing would be signed with it',
}

/** Who is told of what. */
export const alertRows = [
  ...rowsOf('FleetTaskSpec', { alert_policy: { rules: ['AL1'], tests: [delivered], otherwise: always } }),
  ...rowsOf('FleetAlertPolicy', {
    events: raised(filtered),
    channels: raised(delivered, 'AL1 a policy without channels delivers nothing'),
    after_attempts: raised(
      'AL1 alert_policy.after_attempts holds back until that many attempts failed',
      'AL1 alert_policy.after_attempts lets go what it held back',
    ),
    after_minutes_stale: raised('AL1 alert_policy.after_minutes_stale runs from the first stale lease'),
  }),
  ...rowsOf('FleetAlertEventClass', {
    'stale restart_exhausted needs_human run_completed': raised(delivered),
    verifier_failed: raised('AL1 verifier_failed is delivered when a check could not be made'),
    budget_exceeded: raised('AL1 budget_exceeded is delivered when a limit of a task is crossed'),
  }),
  ...rowsOf('FleetAlertChannel', {
    slack: { rules: ['AL3'], tests: [slack], otherwise: always },
    webhook: { rules: ['AL3'], tests: [signed], otherwise: always },
    pager_duty: { rules: ['AL3'], tests: [pagerDuty], otherwise: always },
    'slack.url webhook.url': url,
    'slack.url_ref webhook.url_ref': urlRef,
    'slack.secret_ref webhook.secret_ref': secretRef,
    'pager_duty.routing_key': {
      rules: ['AL3', 'SE5'],
      tests: [pagerDuty, kept, undeliverable],
      control: [pagerDuty],
      otherwise: 'refused as `unenforceable` where it could be none',
    },
    'pager_duty.severity': {
      rules: ['AL3'],
      tests: [pagerDuty, undeliverable],
      control: [pagerDuty],
      otherwise: 'refused as `unenforceable` where PagerDuty does not know it',
    },
  }),
  ...rowsOf('FleetAlertEndpoint', { url, url_ref: urlRef, secret_ref: secretRef }),
  ...rowsOf('FleetWorkerEventPayload', {
    'escalated escalated.channel escalated.alert_id': { rules: ['EV6'], tests: [told], otherwise: written },
  }),
]

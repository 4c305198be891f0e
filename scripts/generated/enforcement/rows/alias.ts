import { rowsOf, type EnforcementRow } from '../row.ts'

const reads = (test: string): EnforcementRow => ({
  rules: ['WI4'],
  tests: [test, 'WI4 an alias beside its name is a problem'],
  control: [test],
  otherwise: 'refused as `invalid_document` beside its name',
})
const word = (test: string): EnforcementRow => ({ rules: ['WI4'], tests: [test], otherwise: 'always possible' })

const endpoint = {
  'webhook_url endpoint_url': reads('WI4 P18 an endpoint reads %s as url'),
  'webhook_url_ref webhook_ref url_secret_ref': reads('WI4 an endpoint reads %s as url_ref'),
  'secret webhook_secret signing_secret': reads('WI4 P18 a webhook reads %s as secret_ref'),
}

/** Other names that are read, never written. */
export const aliasRows = [
  ...rowsOf('FleetTaskWorkerProfile', { profile: reads('WI4 T2 P2 profile is read and agent_profile is written') }),
  ...rowsOf('FleetRunSpec', { workers: reads('WI4 workers is read as worker_specs') }),
  ...rowsOf('FleetTrustLevel', {
    'remote-verified remoteVerified': word('WI4 P17 other spellings of remote_verified are read'),
  }),
  ...rowsOf('FleetHostSpec', { 'container Container': word('WI4 container and Container are read as docker') }),
  ...rowsOf('FleetAlertChannel', { pagerduty: word('WI4 pagerduty is read as pager_duty'), ...endpoint }),
  ...rowsOf('FleetAlertEndpoint', endpoint),
]
